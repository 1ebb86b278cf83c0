"""A results.json with no more than must be there."""


def minimal():
    """A content with no more than must be there."""
    evaluation = {
        "checkpoint": {},
        "images": 1,
        "overall": {},
        "groups": {},
        "classes": [
            {
                "name": "cat",
                "group": "all",
                "training_images": 1,
                "test_images": 1,
                "correct": 1,
                "accuracy": 1.0,
            }
        ],
        "reliability": {},
    }
    return {
        "schema_version": 1,
        "method": "m",
        "config": [],
        "command": [],
        "seeds": {"training": 0, "subset": 0},
        "flags": {"test_seen_during_training": False, "oracle": False},
        "data": {
            "fingerprint": "f00d",
            "class_names": ["cat"],
            "class_counts": [1],
            "groups": {"all": [0]},
            "group_rule": "PositionalGroups()",
        },
        "training": {"seconds": 1.0, "epochs": 2, "parameters": 3},
        "metrics": {},
        "versions": {},
        "hardware": {},
        "evaluations": {"last": evaluation},
    }
