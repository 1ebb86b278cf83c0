"""What pictures there are, before anyone trains on them: `lt data check`."""

from lt_lightning.inspection.asked import Asked
from lt_lightning.inspection.inspect import Inspection, inspect
from lt_lightning.inspection.seen import Seen, look_at

__all__ = ["Asked", "Inspection", "Seen", "inspect", "look_at"]
