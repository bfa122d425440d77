//! The coordinator, broken on purpose.

use twopc_proto::{Coordinator, Effect, Identity, Input, Machine, Settings};

use super::{Mutant, Twist};

impl Twist for Coordinator {
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
