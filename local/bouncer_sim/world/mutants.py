"""All mistakes that are planted, so that the laws can be shown to find them."""

from bouncer_sim.world.brake_mutants import BRAKE_MUTANTS
from bouncer_sim.world.cap_mutants import CAP_MUTANTS
from bouncer_sim.world.feedback_mutants import FEEDBACK_MUTANTS
from bouncer_sim.world.ledger_mutants import LEDGER_MUTANTS
from bouncer_sim.world.publishing_mutants import PUBLISHING_MUTANTS
from bouncer_sim.world.reply_mutants import REPLY_MUTANTS
from bouncer_sim.world.sending_mutants import SENDING_MUTANTS

MUTANTS = (
    *LEDGER_MUTANTS,
    *SENDING_MUTANTS,
    *CAP_MUTANTS,
    *BRAKE_MUTANTS,
    *FEEDBACK_MUTANTS,
    *PUBLISHING_MUTANTS,
    *REPLY_MUTANTS,
)
