"""What is in a folder of pictures, before anyone trains on it: `lt data check`."""

from lt_lightning.inspection.inspect import Inspection, inspect
from lt_lightning.inspection.seen import Seen, look_at

__all__ = ["Inspection", "Seen", "inspect", "look_at"]
