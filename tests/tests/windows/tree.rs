//! What stands in a window, as a screen reader is told.
//!
//! Deliberately absent: colours and shapes. A person must be able to do without them, and so are
//! these tests.

use std::collections::HashMap;

use egui::accesskit::{Node, NodeId, Role, TreeUpdate};
use egui::{Pos2, Rect, pos2};

/// Everything in a window at one moment.
pub(crate) struct Tree {
    nodes: HashMap<NodeId, Node>,
    root: NodeId,
    focus: NodeId,
}

/// Something that can be pressed or typed into.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Control {
    /// Where it is.
    pub(crate) rect: Rect,
    /// The part of the window in which it could be seen.
    pub(crate) pane: Rect,
    /// It does something now.
    pub(crate) is_enabled: bool,
    /// The keyboard is in it.
    pub(crate) is_focused: bool,
}

impl Tree {
    /// A whole tree; `None` if the update has no root.
    pub(crate) fn new(update: TreeUpdate) -> Option<Self> {
        let root = update.tree?.root;
        Some(Self { nodes: update.nodes.into_iter().collect(), root, focus: update.focus })
    }

    /// The controls of this role and name, in the order of reading.
    pub(crate) fn controls(&self, role: Role, name: &str) -> Vec<Control> {
        let mut controls = Vec::new();
        self.collect(self.root, Rect::EVERYTHING, &mut |id, node, pane| {
            if node.role() == role && self.name(node).as_deref() == Some(name) {
                let (is_enabled, is_focused) = (!node.is_disabled(), id == self.focus);
                controls.push(Control { rect: bounds(node), pane, is_enabled, is_focused });
            }
        });
        controls
    }

    /// What stands in a field.
    pub(crate) fn typed(&self, field: &str) -> Option<String> {
        let mut nodes = self.below(self.root).into_iter().map(|(_, node)| node);
        let field = nodes.find(|node| node.role() == Role::TextInput && self.name(node).as_deref() == Some(field))?;
        Some(field.value().unwrap_or_default().to_owned())
    }

    /// Where a slider is.
    pub(crate) fn number(&self, slider: &str) -> Option<usize> {
        self.slider(slider)?.numeric_value().map(|number| number as usize)
    }

    /// How far a slider goes.
    pub(crate) fn most(&self, slider: &str) -> Option<usize> {
        self.slider(slider)?.max_numeric_value().map(|number| number as usize)
    }

    fn slider(&self, name: &str) -> Option<&Node> {
        let is_it = |node: &Node| node.role() == Role::Slider && self.name(node).as_deref() == Some(name);
        self.below(self.root).into_iter().map(|(_, node)| node).find(|node| is_it(node))
    }

    /// The words of every label, in the order of reading.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.labels_below(self.root)
    }

    /// The words of every label in a pane; none if there is no such pane.
    pub(crate) fn labels_in(&self, pane: &str) -> Vec<String> {
        let is_pane = |node: &Node| !matches!(node.role(), Role::Label | Role::Button) && node.label() == Some(pane);
        let pane = self.below(self.root).into_iter().find(|(_, node)| is_pane(node));
        pane.map(|(id, _)| self.labels_below(id)).unwrap_or_default()
    }

    /// All there is, for a person to read whose test has failed.
    pub(crate) fn describe(&self) -> String {
        let line = |(_, node): (NodeId, &Node)| {
            let name = self.name(node).filter(|_| node.role() != Role::TextRun)?;
            let state = if node.is_disabled() { " (disabled)" } else { "" };
            let typed = node.value().filter(|_| node.role() == Role::TextInput).map(|text| format!(" {text:?}")).unwrap_or_default();
            Some(format!("  {:?} {name:?}{typed}{state} {}", node.role(), bounds(node)))
        };
        self.below(self.root).into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    fn labels_below(&self, id: NodeId) -> Vec<String> {
        let labels = self.below(id).into_iter().filter(|(_, node)| node.role() == Role::Label);
        labels.filter_map(|(_, node)| self.name(node)).collect()
    }

    /// A label's words, else the name that a control has itself or from the one that it is tied to.
    fn name(&self, node: &Node) -> Option<String> {
        let own = if node.role() == Role::Label { node.value() } else { node.label() };
        let tied = || node.labelled_by().iter().find_map(|id| self.nodes.get(id).and_then(|node| node.value().or(node.label())));
        own.or_else(tied).map(str::to_owned)
    }

    /// Shows every node to `note`, with the part of the window that those around it leave it.
    fn collect(&self, id: NodeId, pane: Rect, note: &mut impl FnMut(NodeId, &Node, Rect)) {
        let Some(node) = self.nodes.get(&id) else { return };
        note(id, node, pane);
        // A menu floats: nothing that it was opened from hides it, and it ends with the window.
        let pane = if node.role() == Role::Menu { self.window(self.root) } else { pane };
        let pane = if node.clips_children() { pane.intersect(bounds(node)) } else { pane };
        for &child in node.children() {
            self.collect(child, pane, note);
        }
    }

    /// As much of the window as what stands in it takes; a menu floats over that.
    fn window(&self, id: NodeId) -> Rect {
        match self.nodes.get(&id) {
            None => Rect::NOTHING,
            Some(node) if node.role() == Role::Menu => Rect::NOTHING,
            Some(node) if node.clips_children() => bounds(node),
            Some(node) => node.children().iter().fold(bounds(node), |window, &child| window.union(self.window(child))),
        }
    }

    fn below(&self, id: NodeId) -> Vec<(NodeId, &Node)> {
        let Some(node) = self.nodes.get(&id) else { return Vec::new() };
        std::iter::once((id, node)).chain(node.children().iter().flat_map(|&child| self.below(child))).collect()
    }
}

/// In points; nowhere if it has no place.
fn bounds(node: &Node) -> Rect {
    let point = |x: f64, y: f64| -> Pos2 { pos2(x as f32, y as f32) };
    node.bounds().map_or(Rect::NOTHING, |bounds| Rect::from_min_max(point(bounds.x0, bounds.y0), point(bounds.x1, bounds.y1)))
}
