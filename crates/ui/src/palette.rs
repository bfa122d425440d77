//! The colours, light and dark, and the arithmetic that shows that they can be told apart.
//!
//! Deliberately absent: any meaning. What a colour stands for is said by [`crate::Mark`], which
//! never relies on a colour alone.

use egui::Color32;

/// Every colour that a window is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub ground: Color32,
    /// Behind the panes and the fields.
    pub surface: Color32,
    /// What is read.
    pub text: Color32,
    /// What may be overlooked, and is read all the same.
    pub muted: Color32,
    /// Between panes; decoration, nothing depends on seeing it.
    pub line: Color32,
    /// Around fields and buttons.
    pub outline: Color32,
    /// The main button, the focus, the progress of a countdown.
    pub accent: Color32,
    /// On top of [`Palette::accent`].
    pub on_accent: Color32,
    /// Behind selected text and a row that is pointed at.
    pub selection: Color32,
    /// The words of an error.
    pub error: Color32,
    /// Nothing promised yet.
    pub grey: Color32,
    /// Votes are awaited.
    pub blue: Color32,
    /// A promise was given.
    pub amber: Color32,
    /// Committed; connected.
    pub green: Color32,
    /// Aborted.
    pub vermilion: Color32,
}

impl Palette {
    /// Dark on light.
    pub const LIGHT: Self = Self {
        ground: Color32::from_rgb(0xF5, 0xF7, 0xFA),
        surface: Color32::from_rgb(0xFF, 0xFF, 0xFF),
        text: Color32::from_rgb(0x1A, 0x1F, 0x26),
        muted: Color32::from_rgb(0x56, 0x60, 0x70),
        line: Color32::from_rgb(0xD9, 0xDE, 0xE5),
        outline: Color32::from_rgb(0x76, 0x81, 0x8F),
        accent: Color32::from_rgb(0x0A, 0x5C, 0xA8),
        on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
        selection: Color32::from_rgb(0xCF, 0xE3, 0xF7),
        error: Color32::from_rgb(0xB3, 0x26, 0x1E),
        grey: Color32::from_rgb(0x7B, 0x80, 0x90),
        blue: Color32::from_rgb(0x0A, 0x55, 0xA5),
        amber: Color32::from_rgb(0xBF, 0x7C, 0x00),
        green: Color32::from_rgb(0x0E, 0x8F, 0x5F),
        vermilion: Color32::from_rgb(0xAD, 0x2A, 0x0C),
    };

    /// Light on dark.
    pub const DARK: Self = Self {
        ground: Color32::from_rgb(0x14, 0x18, 0x1D),
        surface: Color32::from_rgb(0x1C, 0x21, 0x28),
        text: Color32::from_rgb(0xE8, 0xEC, 0xF1),
        muted: Color32::from_rgb(0xA6, 0xB0, 0xBC),
        line: Color32::from_rgb(0x33, 0x3B, 0x45),
        outline: Color32::from_rgb(0x7B, 0x87, 0x94),
        accent: Color32::from_rgb(0x8A, 0xB8, 0xFF),
        on_accent: Color32::from_rgb(0x0B, 0x15, 0x24),
        selection: Color32::from_rgb(0x25, 0x40, 0x66),
        error: Color32::from_rgb(0xFF, 0x9A, 0x8D),
        grey: Color32::from_rgb(0xA3, 0xA6, 0xB5),
        blue: Color32::from_rgb(0x6A, 0x9D, 0xF8),
        amber: Color32::from_rgb(0xF8, 0xC4, 0x1C),
        green: Color32::from_rgb(0x27, 0xD5, 0x96),
        vermilion: Color32::from_rgb(0xE8, 0x67, 0x2F),
    };

    /// The palette that goes with `visuals`.
    #[must_use]
    pub fn of(visuals: &egui::Visuals) -> &'static Self {
        if visuals.dark_mode { &Self::DARK } else { &Self::LIGHT }
    }
}

/// How far two colours stand apart, 1 (not at all) to 21, as the Web Content Accessibility
/// Guidelines 2.2 define it.
#[must_use]
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance, 0 to 1.
fn luminance(colour: Color32) -> f32 {
    let [red, green, blue] = linear(colour);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The three channels as amounts of light, each 0 to 1.
fn linear(colour: Color32) -> [f32; 3] {
    [colour.r(), colour.g(), colour.b()].map(|channel| {
        let channel = f32::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [(&str, Palette); 2] = [("light", Palette::LIGHT), ("dark", Palette::DARK)];

    /// What the three kinds of dichromats see, as linear light (Machado, Oliveira, Fernandes 2009,
    /// severity 1), and what everybody else sees.
    const EYES: [(&str, [[f32; 3]; 3]); 4] = [
        ("trichromat", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("protanope", [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
        ("deuteranope", [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
        ("tritanope", [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
    ];

    /// CIE L*a*b* of linear light.
    fn lab([r, g, b]: [f32; 3]) -> [f32; 3] {
        let root = |t: f32| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        let x = root((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.950_47);
        let y = root(0.2126 * r + 0.7152 * g + 0.0722 * b);
        let z = root((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    }

    fn difference(a: Color32, b: Color32, eye: &[[f32; 3]; 3]) -> f32 {
        let seen = |colour| {
            let light = linear(colour);
            lab(eye.map(|row| (row[0] * light[0] + row[1] * light[1] + row[2] * light[2]).clamp(0.0, 1.0)))
        };
        let (a, b) = (seen(a), seen(b));
        (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f32>().sqrt()
    }

    #[test]
    fn black_on_white_is_21_to_1() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
    }

    #[test]
    fn text_stands_4_5_to_1_against_its_ground() {
        for (theme, p) in BOTH {
            for (what, colour) in [("text", p.text), ("muted", p.muted), ("error", p.error)] {
                for ground in [p.ground, p.surface] {
                    assert!(contrast(colour, ground) >= 4.5, "{theme}: {what} {}", contrast(colour, ground));
                }
            }
            assert!(contrast(p.on_accent, p.accent) >= 4.5, "{theme}: the main button's word");
            assert!(contrast(p.text, p.selection) >= 4.5, "{theme}: selected text");
        }
    }

    #[test]
    fn shapes_stand_3_to_1_against_their_ground() {
        for (theme, p) in BOTH {
            for (what, colour) in [
                ("grey", p.grey),
                ("blue", p.blue),
                ("amber", p.amber),
                ("green", p.green),
                ("vermilion", p.vermilion),
                ("outline", p.outline),
                ("accent", p.accent),
                ("error", p.error),
            ] {
                for ground in [p.ground, p.surface] {
                    assert!(contrast(colour, ground) >= 3.0, "{theme}: {what} {}", contrast(colour, ground));
                }
            }
        }
    }

    #[test]
    fn the_colours_of_states_differ_for_every_kind_of_eye() {
        for (theme, p) in BOTH {
            let states = [("grey", p.grey), ("blue", p.blue), ("amber", p.amber), ("green", p.green), ("vermilion", p.vermilion)];
            for (eye, seen_by) in &EYES {
                for (i, (one, a)) in states.iter().enumerate() {
                    for (other, b) in &states[i + 1..] {
                        let difference = difference(*a, *b, seen_by);
                        assert!(difference >= 20.0, "{theme}, {eye}: {one} and {other} are {difference} apart");
                    }
                }
            }
        }
    }
}
