//! The participant, broken on purpose.

use twopc_proto::{Effect, Identity, Input, Machine, Participant, Settings};

use super::{Mutant, Twist};

impl Twist for Participant {
    fn twisted_recovery(
        _mutant: Mutant,
        me: &Identity,
        settings: &Settings,
        incarnation: u64,
        log: &[Self::Record],
    ) -> (Self, Vec<Effect<Self>>) {
        Self::recover(me, settings, incarnation, log)
    }

    fn twisted_step(&mut self, _mutant: Mutant, input: Input<Self>) -> Vec<Effect<Self>> {
        self.step(input)
    }
}
