//! Which port a window is inspected through, in a lab built with the feature `inspection`.
//!
//! `EGUI_INSPECTION=ADDRESS:PORT` is the lab's own window; the room's windows have the ports after
//! it, in the order of the list: `PORT+1` is alice's, and so on; the relay has no window and takes no
//! port. With `EGUI_INSPECTION=1` only the lab's window can be inspected. Deliberately absent: the
//! inspection itself, which is eframe's.

/// The variable that eframe reads.
pub(crate) const VARIABLE: &str = "EGUI_INSPECTION";

/// What the variable is for the room's window `index`, counted from 0, if the lab's own is `lab`.
pub(crate) fn of_window(lab: Option<&str>, index: usize) -> Option<String> {
    let (host, port) = lab?.trim().rsplit_once(':')?;
    let port = port.parse::<u16>().ok()?.checked_add(u16::try_from(index).ok()?)?.checked_add(1)?;
    Some(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_the_port_after_the_one_before() {
        let lab = Some("127.0.0.1:5800");
        assert_eq!(of_window(lab, 0).as_deref(), Some("127.0.0.1:5801"));
        assert_eq!(of_window(lab, 3).as_deref(), Some("127.0.0.1:5804"));
        assert_eq!(of_window(Some("[::1]:5800"), 0).as_deref(), Some("[::1]:5801"));
    }

    #[test]
    fn without_a_port_only_the_lab_is_inspected() {
        for lab in [None, Some(""), Some("0"), Some("1"), Some("true"), Some("127.0.0.1:65535"), Some("127.0.0.1:x")] {
            assert_eq!(of_window(lab, 0), None, "{lab:?}");
        }
    }
}
