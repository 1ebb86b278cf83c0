"""What a change without training says of itself in the record of the results."""

from lt_lightning.post_hoc import LogitAdjuster, TauNormalization


class Several(LogitAdjuster):
    def __init__(self, taus: list[float]) -> None:
        super().__init__(1.0)
        self.taus = taus


def test_lists_and_the_path_of_an_outside_class_are_kept():
    path = f"{Several.__module__}.Several"
    assert Several([0.5, 1.0]).options() == {"class": path, "tau": 1.0, "taus": [0.5, 1.0]}


def test_a_class_of_ours_has_its_name():
    assert LogitAdjuster(None).options() == {"class": "LogitAdjuster", "tau": None}
    assert TauNormalization(0.5).options()["class"] == "TauNormalization"
