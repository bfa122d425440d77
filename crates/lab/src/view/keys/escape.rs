//! Escape: it closes what is on top, one thing at a time, and what had the focus before has it again.
//!
//! On top of each other stand the keys, an open menu or list, a field that is typed into, and what was picked
//! in the diagram. Deliberately absent: the diagram's own keys.

use egui::{Id, Key, Modifiers, Popup, Ui};

use crate::view::Desk;

/// What had the focus when the window was last drawn with nothing open on top of it: of Escape the
/// focus is taken away before anybody is asked.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    focused: Option<Id>,
    is_field: bool,
}

/// Takes Escape, if it was pressed.
pub(super) fn take(ui: &Ui, desk: &mut Desk) {
    let (ctx, place) = (ui.ctx(), Id::unique("behind what Escape closes"));
    let is_pressed = ctx.input(|input| input.key_pressed(Key::Escape) && input.modifiers.is_none());
    let has_list = Popup::is_any_open(ctx);
    if !is_pressed {
        if !has_list && !desk.shows_keys {
            let behind = Behind { focused: ctx.memory(egui::Memory::focused), is_field: ctx.text_edit_focused() };
            ctx.data_mut(|data| data.insert_temp(place, behind));
        }
        return;
    }
    let Behind { focused, is_field } = ctx.data(|data| data.get_temp(place)).unwrap_or_default();
    if desk.shows_keys {
        desk.shows_keys = false;
    } else if has_list {
        Popup::close_all(ctx);
    } else if is_field {
        // The folder's field is emptied first, and lets go when it is empty; a number's has let go already.
        // Nothing else is closed with either.
        let kept = focused.filter(|_| ctx.text_edit_focused());
        if let Some(field) = kept {
            if !desk.path.is_empty() {
                return;
            }
            ctx.memory_mut(|memory| memory.surrender_focus(field));
        }
        ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        return;
    } else if desk.diagram.picked().is_some() {
        desk.diagram.choose(None);
    } else {
        return;
    }
    ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if let Some(focused) = focused {
        ctx.memory_mut(|memory| memory.request_focus(focused));
    }
}
