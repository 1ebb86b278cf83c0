"""What all tests share."""

import os

import torch

# Tiny networks gain nothing from threads, and threads that wait for each other on a busy machine
# make a test of one second last a minute. The commands that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
