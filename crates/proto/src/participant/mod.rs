//! The participant.
