//! How everything looks: one type scale, one unit of space, the palette as egui's visuals, and the
//! switch between light and dark.
//!
//! Deliberately absent: fonts of our own. egui's come first, so that a window looks the same
//! everywhere, and the system's fonts are asked for every character that those lack (eframe's
//! `system_fonts`).

use egui::style::{ScrollStyle, WidgetVisuals};
use egui::{
    Button, Color32, Context, CornerRadius, FontFamily, FontId, Margin, Pos2, Rect, Response, RichText, Shadow, Shape, Stroke, StrokeKind,
    Style, TextStyle, Theme, ThemePreference, Ui, Vec2, Visuals, vec2,
};

use crate::palette::Palette;

/// The unit of space, in points. Margins, gaps and heights are multiples of it, or half of it.
pub const UNIT: f32 = 8.0;
/// The height of a row of text in a list.
pub const ROW: f32 = 3.0 * UNIT;
/// The height of buttons, fields and chips.
pub const CONTROL: f32 = 4.0 * UNIT;
/// The least width of a button.
pub const BUTTON: f32 = 9.0 * UNIT;
/// The width of the switch between light and dark.
pub const SWITCH: f32 = 5.0 * UNIT;
/// The most width of a tooltip.
const TOOLTIP: f32 = 70.0 * UNIT;
/// The size of what is read, in points.
pub const BODY: f32 = 16.0;
/// The size of headings and outcomes.
pub const HEADING: f32 = 20.0;

/// Gives `ctx` both looks. Which one is shown is the person's choice, and where nobody chose and
/// the system does not tell, the light one.
pub fn apply(ctx: &Context) {
    for theme in [Theme::Light, Theme::Dark] {
        ctx.set_style_of(theme, style(theme));
    }
    ctx.options_mut(|options| options.fallback_theme = Theme::Light);
}

/// No tooltip is wider than the window that it stands in.
pub(crate) fn fit_tooltips(ctx: &Context) {
    let width = (ctx.content_rect().width() - 4.0 * UNIT).clamp(20.0 * UNIT, TOOLTIP);
    if ctx.global_style().spacing.tooltip_width != width {
        ctx.all_styles_mut(|style| style.spacing.tooltip_width = width);
    }
}

/// A button that goes from following the system to light, to dark and back. Its name says where it
/// stands.
pub fn theme_switch_ui(ui: &mut Ui) -> Response {
    let current = ui.ctx().options(|options| options.theme_preference);
    let (name, next, next_name) = match current {
        ThemePreference::System => ("Theme: like the system", ThemePreference::Light, "light"),
        ThemePreference::Light => ("Theme: light", ThemePreference::Dark, "dark"),
        ThemePreference::Dark => ("Theme: dark", ThemePreference::System, "like the system"),
    };
    let response = ui.add(Button::new("").min_size(vec2(SWITCH, CONTROL))).accessible_name(name);
    paint_icon(ui, current, response.rect.center());
    let response = response.on_hover_text(format!("{name}. Press for {next_name}."));
    if response.clicked() {
        ui.ctx().set_theme(next);
    }
    response
}

/// A screen, a sun, a moon.
fn paint_icon(ui: &Ui, preference: ThemePreference, centre: Pos2) {
    let (painter, palette) = (ui.painter(), Palette::of(ui.visuals()));
    let line = Stroke::new(1.5, palette.text);
    match preference {
        ThemePreference::System => {
            let screen = Rect::from_center_size(centre - vec2(0.0, 1.5), vec2(15.0, 10.0));
            painter.rect_stroke(screen, 1.5, line, StrokeKind::Middle);
            painter.hline(centre.x - 4.0..=centre.x + 4.0, centre.y + 6.5, line);
        }
        ThemePreference::Light => {
            painter.circle_stroke(centre, 3.5, line);
            for ray in 0..8 {
                let way = Vec2::angled(ray as f32 * std::f32::consts::TAU / 8.0);
                painter.line_segment([centre + 5.5 * way, centre + 8.0 * way], line);
            }
        }
        ThemePreference::Dark => {
            // The rim of a disc, and back along the rim of a smaller one that covers its upper right.
            let arc = |centre: Pos2, radius: f32, from: f32, to: f32| {
                (0..=16).map(move |step| {
                    let degrees = from + (to - from) * step as f32 / 16.0;
                    centre + radius * Vec2::angled((degrees - 45.0).to_radians())
                })
            };
            let cover = centre + 4.0 * Vec2::angled(-45.0_f32.to_radians());
            let rim = arc(centre, 7.0, 58.8, 301.2).chain(arc(cover, 6.0, 266.4, 93.6));
            painter.add(Shape::closed_line(rim.collect(), line));
        }
    }
}

/// The button that a person most likely wants to press now.
pub fn main_button(ui: &Ui, word: &'static str) -> Button<'static> {
    let palette = Palette::of(ui.visuals());
    Button::new(RichText::new(word).color(palette.on_accent))
        .fill(palette.accent)
        .stroke(Stroke::new(1.0, palette.accent))
        .min_size(vec2(BUTTON, CONTROL))
}

/// Any other button.
pub fn side_button(word: &'static str) -> Button<'static> {
    Button::new(word).min_size(vec2(BUTTON, CONTROL))
}

fn style(theme: Theme) -> Style {
    let mut style = Style { visuals: visuals(theme), animation_time: 0.1, ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, FontId::new(BODY, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(BODY, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(BODY, FontFamily::Proportional)),
        (TextStyle::Heading, FontId::new(HEADING, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(BODY, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = vec2(UNIT, UNIT);
    style.spacing.button_padding = vec2(1.5 * UNIT, UNIT / 2.0);
    style.spacing.interact_size = vec2(5.0 * UNIT, CONTROL);
    style.spacing.window_margin = Margin::same(16);
    style.spacing.menu_margin = Margin::same(8);
    style.spacing.tooltip_width = TOOLTIP;
    style.spacing.scroll = ScrollStyle { bar_width: UNIT, ..ScrollStyle::thin() };
    style.interaction.tooltip_delay = 0.3;
    style
}

fn visuals(theme: Theme) -> Visuals {
    let (mut visuals, palette) = match theme {
        Theme::Light => (Visuals::light(), &Palette::LIGHT),
        Theme::Dark => (Visuals::dark(), &Palette::DARK),
    };
    visuals.panel_fill = palette.ground;
    visuals.window_fill = palette.surface;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.extreme_bg_color = palette.surface;
    visuals.text_edit_bg_color = Some(palette.surface);
    visuals.faint_bg_color = palette.ground;
    visuals.code_bg_color = palette.ground;
    visuals.weak_text_color = Some(palette.muted);
    visuals.error_fg_color = palette.error;
    visuals.warn_fg_color = palette.error;
    visuals.hyperlink_color = palette.accent;
    visuals.selection.bg_fill = palette.selection;
    visuals.selection.stroke = Stroke::new(2.0, palette.accent);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.accent);
    // A blinking cursor would wake an idle window twice a second.
    visuals.text_cursor.blink = false;
    visuals.window_shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: Color32::from_black_alpha(40) };
    visuals.popup_shadow = visuals.window_shadow;
    visuals.disabled_alpha = 0.6;
    let widgets = &mut visuals.widgets;
    widgets.noninteractive = look(palette.surface, palette.line, 1.0, palette.text);
    widgets.inactive = look(palette.surface, palette.outline, 1.0, palette.text);
    widgets.open = look(palette.surface, palette.outline, 1.0, palette.text);
    // What is switched on has the selection's ground: what is only pointed at has a line.
    widgets.hovered = look(palette.ground, palette.accent, 1.0, palette.text);
    widgets.active = look(palette.selection, palette.accent, 2.0, palette.text);
    // What has no frame of its own, such as the handle of a scroll bar, is painted with this one.
    widgets.inactive.bg_fill = palette.outline;
    widgets.hovered.bg_fill = palette.muted;
    widgets.active.bg_fill = palette.accent;
    visuals
}

fn look(fill: Color32, border: Color32, width: f32, text: Color32) -> WidgetVisuals {
    WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(width, border),
        corner_radius: CornerRadius::same(6),
        fg_stroke: Stroke::new(width, text),
        expansion: 0.0,
    }
}
