//! A scene as plain text, on a grid: for a terminal, and for tests that a person can read.
//!
//! An arrow goes level from its sender and then down beside its receiver's lane. Lines on which nothing
//! but lanes stand are left out. Deliberately absent: colours.

use unicode_width::UnicodeWidthChar;

use super::scene::{Band, Dash, Glyph, Line, Point, Scene, Tip};

/// A character's width and height, in the scene's pixels.
const WIDE: f32 = 8.0;
const HIGH: f32 = 13.0;

/// Draws a scene with characters.
#[must_use]
pub fn text(scene: &Scene) -> String {
    let mut grid = Grid::new(scene.size);
    for line in scene.lines.iter().filter(|line| line.of.is_none()) {
        grid.guide(line);
    }
    for band in &scene.bands {
        grid.band(band);
    }
    for line in scene.lines.iter().filter(|line| line.of.is_some()) {
        grid.arrow(line);
    }
    for badge in &scene.badges {
        grid.set(Cell::of(badge.at), glyph(badge.glyph));
    }
    for label in &scene.labels {
        grid.write(Cell::of(label.at), &label.text);
    }
    for head in &scene.heads {
        let place = Cell::of(Point { x: head.x, y: 0.0 });
        grid.write(place, &head.name);
        grid.write(Cell { row: 1, ..place }, head.part);
    }
    grid.lines()
}

/// A shape as a character.
fn glyph(glyph: Glyph) -> char {
    match glyph {
        Glyph::Dot => '•',
        Glyph::Ring => '○',
        Glyph::Quarter => '◔',
        Glyph::Half => '◐',
        Glyph::Doubt => '◍',
        Glyph::Disc => '●',
        Glyph::Cross => '✕',
        Glyph::Square => '□',
        Glyph::Block => '■',
        Glyph::Found => '▣',
        Glyph::Diamond => '◆',
        Glyph::Clock => '◷',
        Glyph::Play => '▷',
        Glyph::Pause => '‖',
        Glyph::Twice => '»',
        Glyph::Bar => '▬',
        Glyph::Death => '✖',
        Glyph::Rules => '≡',
        Glyph::Warning => '△',
    }
}

/// A place on the grid.
#[derive(Clone, Copy)]
struct Cell {
    column: usize,
    row: usize,
}

impl Cell {
    fn of(point: Point) -> Self {
        let place = |pixels: f32, size: f32| (pixels / size).round().max(0.0) as usize;
        Self { column: place(point.x, WIDE), row: place(point.y, HIGH) }
    }
}

struct Grid {
    cells: Vec<Vec<char>>,
    /// The rows on which something happens.
    eventful: Vec<bool>,
}

impl Grid {
    fn new((width, height): (f32, f32)) -> Self {
        let (columns, rows) = ((width / WIDE).ceil() as usize + 1, (height / HIGH).ceil() as usize + 1);
        Self { cells: vec![vec![' '; columns]; rows], eventful: vec![false; rows] }
    }

    fn put(&mut self, cell: Cell, c: char) {
        if let Some(place) = self.cells.get_mut(cell.row).and_then(|row| row.get_mut(cell.column)) {
            *place = c;
        }
    }

    fn set(&mut self, cell: Cell, c: char) {
        self.put(cell, c);
        if let Some(eventful) = self.eventful.get_mut(cell.row) {
            *eventful = true;
        }
    }

    fn at(&self, column: usize, row: usize) -> char {
        self.cells.get(row).and_then(|cells| cells.get(column)).copied().unwrap_or(' ')
    }

    fn write(&mut self, cell: Cell, text: &str) {
        let mut column = cell.column;
        for c in text.chars() {
            self.set(Cell { column, row: cell.row }, c);
            column += c.width().unwrap_or(0);
        }
    }

    /// A lane's line, or the line of a fold.
    fn guide(&mut self, line: &Line) {
        let (from, to) = (Cell::of(line.from), Cell::of(line.to));
        if from.row == to.row {
            for column in from.column.min(to.column)..=from.column.max(to.column) {
                self.set(Cell { column, row: from.row }, '·');
            }
            return;
        }
        let c = match line.dash {
            Dash::Solid => '│',
            Dash::Dashed => '┆',
            Dash::Dotted => '·',
        };
        for row in from.row..=to.row {
            self.put(Cell { column: from.column, row }, c);
        }
    }

    fn band(&mut self, band: &Band) {
        let middle = Point { x: f32::midpoint(band.min.x, band.max.x), y: band.min.y };
        let (from, to) = (Cell::of(middle), Cell::of(Point { y: band.max.y, ..middle }));
        if band.max.x - band.min.x < WIDE {
            return;
        }
        for row in from.row..=to.row {
            let c = if band.hatched { '▓' } else { '░' };
            if !(self.at(from.column, row) == '▓' && c == '░') {
                self.put(Cell { column: from.column, row }, c);
            }
        }
    }

    fn arrow(&mut self, line: &Line) {
        let (from, to) = (Cell::of(line.from), Cell::of(line.to));
        let tip = |right: bool| match line.tip {
            Tip::Plain => '─',
            Tip::Arrow if right => '▶',
            Tip::Arrow => '◀',
            Tip::Open if right => '>',
            Tip::Open => '<',
            Tip::Cross => '✕',
            Tip::Nobody => '⊘',
        };
        if from.column == to.column {
            for row in from.row..to.row {
                self.put(Cell { row, ..from }, '╎');
            }
            let end = if line.tip == Tip::Open { 'v' } else { tip(true) };
            self.set(to, if line.tip == Tip::Plain { '╎' } else { end });
            return;
        }
        let right = to.column > from.column;
        let (left, rightmost) = if right { (from.column + 1, to.column) } else { (to.column, from.column - 1) };
        for column in left..=rightmost {
            let crossed = matches!(self.at(column, from.row), '│' | '┆' | '┼' | '╎' | '░' | '▓');
            self.set(Cell { column, row: from.row }, if crossed && column != to.column { '┼' } else { '─' });
        }
        if from.row < to.row {
            self.put(Cell { row: from.row, ..to }, if right { '╮' } else { '╭' });
            for row in from.row + 1..to.row {
                self.put(Cell { row, ..to }, '╎');
            }
        }
        self.set(to, tip(right));
    }

    fn lines(self) -> String {
        let rows = self.cells.into_iter().zip(self.eventful).filter(|(_, eventful)| *eventful);
        rows.map(|(row, _)| row.into_iter().collect::<String>().trim_end().to_owned() + "\n").collect()
    }
}
