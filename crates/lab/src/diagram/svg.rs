//! A scene as a picture that stands alone: SVG, light, with a title and a description for those who
//! cannot see it.
//!
//! Every text is escaped. Deliberately absent: scripts, links and fonts of our own.

use std::fmt::Write as _;

use egui::Color32;
use twopc_ui::Palette;

use super::axis::{Axis, Filter, Lens};
use super::chart::Chart;
use super::layout::{View, layout};
use super::scene::{Badge, Band, Dash, Glyph, Head, Ink, Label, Line, Point, Scene, Tip};

/// The colours of the picture.
const PALETTE: &Palette = &Palette::LIGHT;

/// The size of the letters: whatever font there is, words take no more than the layout gives them.
const FONT: f32 = 14.5;

/// The whole of a run as one picture.
#[must_use]
pub fn whole(chart: &Chart, filter: &Filter, title: &str) -> String {
    let axis = Axis::of(chart, &Lens { filter: filter.clone(), ..Lens::default() });
    // Whoever looks at a picture sees the end of it.
    let view = View { is_over: true, ..View::whole(chart, &axis, 1_200.0) };
    let scene = layout(chart, &axis, &view);
    svg(&scene, title, &description(chart))
}

/// What is to be said of a chart to somebody who does not see it.
#[must_use]
pub fn description(chart: &Chart) -> String {
    let names: Vec<&str> = chart.order().iter().map(|lane| chart.lane(*lane).name.as_str()).collect();
    format!(
        "Space-time diagram, time downwards. {} lanes: {}. {} events, {} messages.",
        names.len(),
        names.join(", "),
        chart.heard(),
        chart.messages().len()
    )
}

/// A scene as an SVG document.
#[must_use]
pub fn svg(scene: &Scene, title: &str, description: &str) -> String {
    let (width, height) = scene.size;
    let mut out = Writer { text: String::new() };
    out.put(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"img\" aria-labelledby=\"title desc\" font-family=\"Ubuntu, 'DejaVu Sans', sans-serif\" font-size=\"{FONT}\">\n"
    ));
    out.put(format_args!("<title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n", Escaped(title), Escaped(description)));
    out.put(format_args!(
        "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <rect width=\"3\" height=\"6\" fill=\"{}\"/></pattern></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"{}\"/>\n",
        hex(PALETTE.amber),
        hex(PALETTE.surface)
    ));
    scene.bands.iter().for_each(|band| out.band(band));
    scene.lines.iter().for_each(|line| out.line(line));
    scene.badges.iter().for_each(|badge| out.badge(badge));
    scene.labels.iter().for_each(|label| out.label(label));
    scene.lines.iter().for_each(|line| out.tip(line));
    out.put(format_args!("<rect width=\"100%\" height=\"{:.0}\" fill=\"{}\"/>\n", scene.head, hex(PALETTE.ground)));
    scene.heads.iter().for_each(|head| out.head(head));
    out.text + "</svg>\n"
}

struct Writer {
    text: String,
}

impl Writer {
    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(what);
    }

    fn band(&mut self, band: &Band) {
        let (fill, opacity) = if band.hatched { ("url(#hatch)".to_owned(), 0.9) } else { (colour(band.ink), 0.3) };
        let (Point { x, y }, width, height) = (band.min, band.max.x - band.min.x, band.max.y - band.min.y);
        self.put(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\" opacity=\"{opacity}\"/>\n"
        ));
    }

    fn line(&mut self, line: &Line) {
        let dash = match line.dash {
            Dash::Solid => "",
            Dash::Dashed => " stroke-dasharray=\"6 5\"",
            Dash::Dotted => " stroke-dasharray=\"2 5\"",
        };
        let (Line { from, to, width, .. }, ink) = (line, colour(line.ink));
        self.put(format_args!(
            "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{ink}\" stroke-width=\"{width}\"{dash}/>\n",
            from.x, from.y, to.x, to.y
        ));
    }

    /// The ends of lines come last, so that nothing hides them.
    fn tip(&mut self, line: &Line) {
        let (ink, to) = (colour(line.ink), &line.to);
        match line.tip {
            Tip::Plain => {}
            Tip::Arrow => self.put(format_args!("<polygon points=\"{}\" fill=\"{ink}\"/>\n", Points(&line.arrow()))),
            Tip::Open => self.put(format_args!(
                "<polygon points=\"{}\" fill=\"{}\" stroke=\"{ink}\" stroke-width=\"1.5\"/>\n",
                Points(&line.arrow()),
                hex(PALETTE.surface)
            )),
            Tip::Cross => self.cross(*to, 6.0, 2.5, &colour(Ink::Error)),
            Tip::Nobody => self.put(format_args!(
                "<path transform=\"translate({:.1} {:.1})\" d=\"M-6 0A6 6 0 1 1 6 0A6 6 0 1 1 -6 0ZM-4.2 4.2L4.2 -4.2\" fill=\"{}\" stroke=\"{}\" \
                 stroke-width=\"2\"/>\n",
                to.x,
                to.y,
                hex(PALETTE.surface),
                colour(Ink::Error)
            )),
        }
    }

    fn cross(&mut self, Point { x, y }: Point, reach: f32, width: f32, ink: &str) {
        let (left, right, top, bottom) = (x - reach, x + reach, y - reach, y + reach);
        self.put(format_args!(
            "<path d=\"M{left:.1} {top:.1}L{right:.1} {bottom:.1}M{left:.1} {bottom:.1}L{right:.1} {top:.1}\" stroke=\"{ink}\" \
             stroke-width=\"{width}\"/>\n"
        ));
    }

    fn badge(&mut self, badge: &Badge) {
        let (Point { x, y }, ink, ground) = (badge.at, colour(badge.ink), hex(PALETTE.surface));
        let circle = |radius: f32, fill: &str| {
            format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"2\"/>\n")
        };
        let path = |d: &str, fill: &str| {
            format!("<path transform=\"translate({x:.1} {y:.1})\" d=\"{d}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"2\"/>\n")
        };
        let shape = match badge.glyph {
            Glyph::Dot => circle(2.5, &ink),
            Glyph::Ring => circle(6.0, &ground),
            Glyph::Quarter => circle(6.0, &ground) + &path("M0 0V-6A6 6 0 0 1 6 0Z", &ink),
            Glyph::Half => circle(6.0, &ground) + &path("M0 -6A6 6 0 0 0 0 6Z", &ink),
            Glyph::Doubt => circle(6.0, &ground) + &path("M0 -6V6M-5.5 -2.5H0M-6 0H0M-5.5 2.5H0", "none"),
            Glyph::Disc => circle(6.0, &ink),
            Glyph::Cross => path("M-5 -5L5 5M-5 5L5 -5", "none"),
            Glyph::Square => path("M-5 -5H5V5H-5Z", &ground),
            Glyph::Block => path("M-5 -5H5V5H-5Z", &ink),
            Glyph::Found => path("M-6 -6H6V6H-6Z", &ground) + &path("M-2 -2H2V2H-2Z", &ink),
            Glyph::Diamond => path("M0 -7L7 0L0 7L-7 0Z", &ink),
            Glyph::Clock => circle(6.5, &ground) + &path("M0 -4V0H3.5", "none"),
            Glyph::Play => path("M-4 -6L6 0L-4 6Z", &ground),
            Glyph::Pause => path("M-4 -6V6M4 -6V6", "none"),
            Glyph::Twice => path("M-6 -5L0 0L-6 5ZM1 -5L7 0L1 5Z", &ground),
            Glyph::Bar => path("M-8 0H8", "none"),
            Glyph::Death => path("M-7 -7L7 7M-7 7L7 -7M-7 0H7", "none"),
            Glyph::Rules => path("M-6 -4H6M-6 0H6M-6 4H6", "none"),
            Glyph::Warning => path("M0 -7L7 6H-7ZM0 -2V2", &ground),
        };
        self.text += &shape;
    }

    fn label(&mut self, label: &Label) {
        let (Point { x, y }, ink) = (label.at, colour(label.ink));
        let (y, text) = (y + 5.5, Escaped(&label.text));
        if label.covers {
            // A plate and no edge of letters: words stand in the file once, to be found and copied.
            let (left, top, width, ground) = (x - 2.0, y - 14.5, label.width + 2.0, hex(PALETTE.surface));
            self.put(format_args!(
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"19\" rx=\"2\" fill=\"{ground}\"/>\n"
            ));
        }
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{ink}\">{text}</text>\n"));
    }

    fn head(&mut self, head: &Head) {
        let (x, name) = (head.x, Escaped(&head.name));
        self.put(format_args!(
            "<text x=\"{x:.1}\" y=\"22\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"{}\">{name}</text>\n",
            colour(Ink::Text)
        ));
        self.put(format_args!("<text x=\"{x:.1}\" y=\"42\" text-anchor=\"middle\" fill=\"{}\">{}</text>\n", colour(Ink::Muted), head.part));
    }
}

fn colour(ink: Ink) -> String {
    hex(ink.colour(PALETTE))
}

fn hex(colour: Color32) -> String {
    format!("#{:02x}{:02x}{:02x}", colour.r(), colour.g(), colour.b())
}

/// Corners of a polygon.
struct Points<'a>(&'a [Point]);

impl std::fmt::Display for Points<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, point) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{:.1},{:.1}", point.x, point.y)?;
        }
        Ok(())
    }
}

/// A text that steers nothing: markup is escaped, and what XML 1.0 has no character for is replaced.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\u{fffe}' | '\u{ffff}' => f.write_str("\u{fffd}")?,
                c if c.is_control() && c != '\t' => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}
