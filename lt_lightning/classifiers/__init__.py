"""What becomes of the classifier in stage 2 of decoupling."""

from lt_lightning.classifiers.base import ClassifierRule
from lt_lightning.classifiers.crt import CRT
from lt_lightning.classifiers.keep import KeepClassifier
from lt_lightning.classifiers.lws import LWS

__all__ = ["CRT", "LWS", "ClassifierRule", "KeepClassifier"]
