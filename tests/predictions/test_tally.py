"""What is said of predictions whose classes are known."""

import torch

from lt_lightning.predictions.tally import Tally


def test_a_group_may_be_called_as_all_images_are():
    """Trap: the accuracy of the group stood in the place of that of all images."""
    tally = Tally(3, {"all": [0], "top-5": [1, 2]})
    for label, predicted in ((0, 0), (1, 0), (1, 1), (2, 0)):
        tally.add(torch.eye(3)[predicted], label)
    assert tally.told().startswith(
        "Accuracy on 4 labelled images: all 50.00 %, macro (balanced) 50.00 %, "
        "group all 100.00 %, group top-5 25.00 %; macro F1 "
    )
