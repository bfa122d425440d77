//! Where the room's windows stand on the screen: beside each other where they fit, else one behind
//! the other so that every title can be read, and the lab's own beside all of those.
//!
//! Deliberately absent: what the window system makes of it. Wayland places windows itself and takes
//! only their sizes.

use std::cmp::Ordering;

use egui::{Margin, Rect, Vec2, pos2, vec2};
use twopc_ui::layout::SMALLEST;
use twopc_ui::place::Place;

/// What a window likes best, without its frame.
pub const BEST: Vec2 = vec2(860.0, 560.0);
/// What a window system adds: a title above, a line around. It tells nobody how much before the
/// window is there, so this is what the generous ones take.
const TITLE: f32 = 37.0;
const LINE: f32 = 2.0;
/// What a desktop keeps for its bars; nor does it tell that.
const BARS: Margin = Margin { left: 0, right: 0, top: 32, bottom: 48 };
/// How far a window behind others sticks out to the left and upwards.
const SHIFT: Vec2 = vec2(24.0, TITLE + LINE);
/// As much of a title as it takes to read it and to take hold of the window.
const READABLE: f32 = 160.0;

/// Places for `count` windows, frames included, on a screen given in points.
///
/// Every place is on the screen. None covers another where all fit beside each other in their
/// smallest size; where they don't, the first, which is the lab's then, stands free beside all others,
/// and none covers an earlier one's title, as long as the screen has room for that many titles.
#[must_use]
pub fn tile(screen: Rect, count: usize) -> Vec<Rect> {
    let desk = screen - BARS;
    beside(desk, count).or_else(|| first_beside(desk, count)).unwrap_or_else(|| behind(desk, count))
}

/// A place for the lab's own window and places for `count` others, frames included. Its own is the one it
/// `kept`, if that can be seen; where it leaves them no room, they stand before it.
#[must_use]
pub fn arrange(screen: Rect, kept: Option<Place>, count: usize) -> (Place, Vec<Rect>) {
    let mut others = tile(screen, count + 1);
    // The lab's window is there first, so behind each other it stands behind all others.
    let own = others.remove(if overlap(&others) { 0 } else { count });
    let Some(kept) = kept.filter(|kept| screen.contains_rect(Rect::from_min_size(kept.at, kept.size))) else {
        return (inside(own), others);
    };
    if !others.iter().any(|other| other.intersect(outside(kept)).is_positive()) {
        return (kept, others);
    }
    (kept, beside_taken(screen, kept, count).unwrap_or(others))
}

/// Places for `count` windows beside one that stands somewhere already; none if it leaves too little.
fn beside_taken(screen: Rect, window: Place, count: usize) -> Option<Vec<Rect>> {
    let (desk, taken) = (screen - BARS, outside(window));
    let left = desk.split_left_right_at_x(taken.left()).0;
    let right = desk.split_left_right_at_x(taken.right()).1;
    let above = desk.split_top_bottom_at_y(taken.top()).0;
    let below = desk.split_top_bottom_at_y(taken.bottom()).1;
    let fits = |strip: &Rect| (strip.size() / (SMALLEST + around())).min_elem() >= 1.0;
    let places = |strip| {
        let readable = |places: &Vec<Rect>| (0..places.len()).all(|i| is_title_free(places, i));
        beside(strip, count).or_else(|| Some(behind(strip, count)).filter(readable))
    };
    // The largest windows, and rather smaller ones than such as stand behind each other.
    let worth = |places: &Vec<Rect>| (!overlap(places), places.first().map_or(0.0, Rect::area));
    let all = [left, right, above, below].into_iter().filter(fits).filter_map(places);
    all.max_by(|one, other| worth(one).partial_cmp(&worth(other)).unwrap_or(Ordering::Equal))
}

/// What a window takes of the screen, its frame included.
fn outside(window: Place) -> Rect {
    Rect::from_min_size(window.at, window.size + around())
}

/// What a window is told of such a rectangle: where its frame begins, and how large it is inside.
#[must_use]
pub fn inside(frame: Rect) -> Place {
    Place { at: frame.min, size: frame.size() - around() }
}

/// Whether any two of the places share a piece of the screen.
#[must_use]
pub fn overlap(places: &[Rect]) -> bool {
    places.iter().enumerate().any(|(i, one)| places[i + 1..].iter().any(|other| one.intersect(*other).is_positive()))
}

fn around() -> Vec2 {
    vec2(2.0 * LINE, TITLE + 2.0 * LINE)
}

/// Equal rows, the one whose places come nearest to what a window likes best; the windows of a row
/// share its width, so that a last row with fewer of them leaves nothing empty.
fn beside(desk: Rect, count: usize) -> Option<Vec<Rect>> {
    let cell = |columns: usize, in_row: usize| vec2(desk.width() / in_row as f32, desk.height() / count.div_ceil(columns) as f32).floor();
    let share = |columns: usize, of: Vec2| ((cell(columns, columns) - around()) / of).min_elem();
    let columns = (1..=count)
        .filter(|&columns| share(columns, SMALLEST) >= 1.0)
        .max_by(|&one, &other| share(one, BEST).total_cmp(&share(other, BEST)))?;
    let place = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        let size = cell(columns, columns.min(count - row * columns));
        Rect::from_min_size(desk.min + vec2(column as f32, row as f32) * size, size)
    };
    Some((0..count).map(place).collect())
}

/// The first on the left, all others behind each other on the right; none if that side is too small for
/// their titles.
fn first_beside(desk: Rect, count: usize) -> Option<Vec<Rect>> {
    let (least, best) = ((SMALLEST + around()).x, (BEST + around()).x);
    if desk.width() < 2.0 * least || count == 0 {
        return None;
    }
    let (first, rest) = desk.split_left_right_at_x((desk.left() + (desk.width() / 2.0).min(best)).floor());
    let others = behind(rest, count - 1);
    (0..others.len()).all(|i| is_title_free(&others, i)).then(|| [vec![first], others].concat())
}

/// Whether the beginning of a title can be read, whatever was opened after it.
fn is_title_free(places: &[Rect], i: usize) -> bool {
    let title = Rect::from_min_size(places[i].min, vec2(READABLE.min(places[i].width()), TITLE));
    !places[i + 1..].iter().any(|later| later.intersect(title).is_positive())
}

/// As few strips beside each other as leave room for every title, each with its own steps. The
/// windows are to be opened in this order.
fn behind(desk: Rect, count: usize) -> Vec<Rect> {
    let least = SMALLEST + around();
    let strips_that_fit = ((desk.width() / least.x) as usize).max(1);
    let strips = count.div_ceil(rows_that_fit(desk)).clamp(1, strips_that_fit);
    let in_strip = count.div_ceil(strips);
    let width = (desk.width() / strips as f32).floor();
    let strip = |i: usize| Rect::from_min_size(desk.min + vec2(width * i as f32, 0.0), vec2(width, desk.height()));
    (0..strips).flat_map(|i| steps(strip(i), in_strip.min(count.saturating_sub(i * in_strip)))).collect()
}

/// How many windows in their smallest size can stand a step below each other.
fn rows_that_fit(desk: Rect) -> usize {
    1 + ((desk.height() - SMALLEST.y - around().y).max(0.0) / SHIFT.y) as usize
}

/// Each window a step below the one before it; only where that is not enough, several share a row,
/// each a readable piece to the right of the one before it.
fn steps(desk: Rect, count: usize) -> Vec<Rect> {
    let spare = desk.size() - (SMALLEST + around()).min(desk.size());
    let columns = count.div_ceil(rows_that_fit(desk)).max(1);
    let rows = count.div_ceil(columns).max(1);
    let across = READABLE.min(spare.x / (columns - 1).max(1) as f32);
    let left = spare.x - across * (columns - 1) as f32;
    let shift = SHIFT.min(vec2(left, spare.y) / (rows - 1).max(1) as f32);
    let taken = vec2(across * (columns - 1) as f32, 0.0) + shift * (rows - 1) as f32;
    let size = (desk.size() - taken).min(BEST + around()).floor();
    let place = |i: usize| {
        let (row, column) = (i / columns, i % columns);
        let at = desk.min + vec2(across * column as f32, 0.0) + shift * row as f32;
        Rect::from_min_size(pos2(at.x.floor(), at.y.floor()), size)
    };
    (0..count).map(place).collect()
}

#[cfg(test)]
mod tests {
    use egui::Pos2;

    use super::*;

    fn screen(width: f32, height: f32) -> Rect {
        Rect::from_min_size(Pos2::ZERO, vec2(width, height))
    }

    const SCREENS: [(f32, f32); 6] =
        [(800.0, 600.0), (1024.0, 768.0), (1280.0, 800.0), (1366.0, 768.0), (1920.0, 1080.0), (3840.0, 2160.0)];

    /// The first title whose beginning a later window covers.
    fn covered(places: &[Rect]) -> Option<usize> {
        (0..places.len()).find(|&i| !is_title_free(places, i))
    }

    #[test]
    fn every_window_is_on_the_screen_and_clear_of_the_bars() {
        for (width, height) in SCREENS {
            let desk = screen(width, height) - BARS;
            for count in 0..=65 {
                let places = tile(screen(width, height), count);
                assert_eq!(places.len(), count);
                for place in places {
                    assert!(desk.contains_rect(place), "{count} on {width} x {height}: {place:?}");
                }
            }
        }
    }

    #[test]
    fn a_room_stands_beside_each_other_on_usual_screens() {
        for (width, height) in [(1280.0, 800.0), (1366.0, 768.0), (1920.0, 1080.0), (3840.0, 2160.0)] {
            let places = tile(screen(width, height), 5);
            assert!(!overlap(&places), "{width} x {height}: {places:?}");
            for place in places {
                let size = inside(place).size;
                assert!((size / SMALLEST).min_elem() >= 1.0, "{width} x {height}: {size:?}");
            }
        }
    }

    #[test]
    fn the_beginning_of_every_title_is_seen() {
        for ((width, height), most) in [((800.0, 600.0), 15), ((1024.0, 768.0), 18), ((1280.0, 800.0), 30), ((1920.0, 1080.0), 65)] {
            for count in 1..=most {
                let places = tile(screen(width, height), count);
                assert_eq!(covered(&places), None, "{count} on {width} x {height}: {places:?}");
            }
        }
    }

    #[test]
    fn of_many_windows_none_stands_before_the_first() {
        for (width, height) in [(1024.0, 768.0), (1280.0, 800.0), (1600.0, 1000.0), (1920.0, 1080.0)] {
            for count in 1..=10 {
                let places = tile(screen(width, height), count);
                let size = inside(places[0]).size;
                assert!(!places[1..].iter().any(|place| place.intersect(places[0]).is_positive()), "{count} on {width} x {height}");
                assert!((size / SMALLEST).min_elem() >= 1.0, "{count} on {width} x {height}: {size:?}");
            }
        }
    }

    #[test]
    fn where_not_all_fit_beside_each_other_the_others_stand_behind_each_other() {
        let places = tile(screen(1600.0, 1000.0), 10);
        assert!(overlap(&places));
        assert_eq!(places[0], Rect::from_min_size(pos2(0.0, 32.0), vec2(800.0, 920.0)));
        assert_eq!(places[1], Rect::from_min_size(pos2(800.0, 32.0), vec2(608.0, 601.0)));
        assert_eq!(places[9], Rect::from_min_size(pos2(992.0, 344.0), vec2(608.0, 601.0)));
        let low = tile(screen(800.0, 600.0), 5);
        assert!(low[1].intersect(low[0]).is_positive(), "too narrow for two beside each other");
    }

    #[test]
    fn beside_a_window_that_has_its_place_the_others_take_the_largest_side() {
        let full = screen(1920.0, 1080.0);
        let window = |x, y, width, height| Place { at: pos2(x, y), size: vec2(width, height) };
        let right = beside_taken(full, window(0.0, 0.0, 900.0, 1000.0), 4).unwrap();
        assert!(!overlap(&right) && right.iter().all(|place| place.left() >= 900.0), "two by two: {right:?}");
        let behind = beside_taken(full, window(480.0, 40.0, 1400.0, 900.0), 4).unwrap();
        assert!(overlap(&behind) && behind.iter().all(|place| place.right() <= 480.0), "behind each other: {behind:?}");
        assert_eq!(covered(&behind), None);
        let corner = beside_taken(full, window(0.0, 500.0, 700.0, 500.0), 2).unwrap();
        assert_eq!(corner[0], Rect::from_min_size(pos2(704.0, 32.0), vec2(1216.0, 500.0)), "the side on the right is the largest");
        assert_eq!(beside_taken(full, window(300.0, 100.0, 1300.0, 700.0), 4), None, "nothing is left that is wide enough");
    }

    #[test]
    fn a_place_is_kept_if_it_is_seen() {
        let full = screen(1920.0, 1080.0);
        let usual = tile(full, 5);
        let kept = |place| arrange(full, Some(place), 4);
        assert_eq!(arrange(full, None, 4), (inside(usual[4]), usual[..4].to_vec()));
        let smaller = Place { at: usual[4].min + vec2(20.0, 20.0), size: vec2(600.0, 400.0) };
        assert_eq!(kept(smaller), (smaller, usual[..4].to_vec()), "it stands before nobody");
        let larger = Place { at: pos2(960.0, 40.0), size: vec2(900.0, 900.0) };
        let (own, others) = kept(larger);
        assert_eq!(own, larger);
        assert!(others.iter().all(|other| !other.intersect(outside(larger)).is_positive()), "{others:?}");
        let all = Place { at: pos2(0.0, 32.0), size: vec2(1900.0, 1000.0) };
        assert_eq!(kept(all), (all, usual[..4].to_vec()), "they stand before it");
        let unseen = Place { at: pos2(2000.0, 32.0), size: vec2(600.0, 400.0) };
        assert_eq!(kept(unseen), arrange(full, None, 4));
        let whole = Place { at: pos2(0.0, 0.0), size: vec2(1916.0, 1039.0) };
        assert_eq!(arrange(full, Some(whole), 0), (whole, vec![]), "alone it has no one to leave room to");
    }

    #[test]
    fn a_window_alone_has_the_screen_and_a_second_screen_is_kept_to() {
        assert_eq!(tile(screen(1920.0, 1080.0), 1), [screen(1920.0, 1080.0) - BARS]);
        let second = screen(1920.0, 1080.0).translate(vec2(-1920.0, 100.0));
        assert!(tile(second, 5).iter().all(|place| second.contains_rect(*place)));
    }

    #[test]
    fn five_windows_on_a_wide_screen_stand_three_above_two() {
        let places = tile(screen(1920.0, 1080.0), 5);
        let at: Vec<(f32, f32)> = places.iter().map(|place| (place.min.x, place.min.y)).collect();
        assert_eq!(at, [(0.0, 32.0), (640.0, 32.0), (1280.0, 32.0), (0.0, 532.0), (960.0, 532.0)]);
        assert_eq!(inside(places[0]), Place { at: pos2(0.0, 32.0), size: vec2(636.0, 459.0) });
        assert_eq!(inside(places[4]), Place { at: pos2(960.0, 532.0), size: vec2(956.0, 459.0) });
    }
}
