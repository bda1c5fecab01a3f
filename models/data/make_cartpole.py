"""Makes `cartpole.npz`: episodes of balancing a pole on a cart by pushing left or right at random, for `policy_gradient.dl`.

python models/data/make_cartpole.py

The cart-pole of A. G. Barto, R. S. Sutton and C. W. Anderson, Neuronlike adaptive elements that can solve difficult learning
control problems, 1983, with the limits that are usual since: an episode ends when the pole leans by more than 12 degrees, the
cart is more than 2.4 m from the middle, or after 200 steps. Every step that is reached is worth 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

GRAVITY, CART, POLE, HALF_LENGTH, FORCE, SECONDS = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
FARTHEST, STEEPEST, LONGEST = 2.4, np.radians(12), 200
DISCOUNT = 0.95
EPISODES = 300

Policy = Callable[[NDArray[np.float64]], int]


def moved(state: NDArray[np.float64], action: int) -> NDArray[np.float64]:
    """The state (place, speed, angle, turning) a moment after a push to the left (0) or the right (1)."""
    place, speed, angle, turning = state
    push = FORCE if action == 1 else -FORCE
    sine, cosine, mass = np.sin(angle), np.cos(angle), CART + POLE
    both = (push + POLE * HALF_LENGTH * turning**2 * sine) / mass
    bend = (GRAVITY * sine - cosine * both) / (HALF_LENGTH * (4 / 3 - POLE * cosine**2 / mass))
    pull = both - POLE * HALF_LENGTH * bend * cosine / mass
    return np.array(
        [place + SECONDS * speed, speed + SECONDS * pull, angle + SECONDS * turning, turning + SECONDS * bend]
    )


def episode(policy: Policy, generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The states of one episode and what was done in each."""
    state, states, actions = generator.uniform(-0.05, 0.05, 4), [], []
    while len(states) < LONGEST and abs(state[0]) <= FARTHEST and abs(state[2]) <= STEEPEST:
        states.append(state)
        actions.append(policy(state))
        state = moved(state, actions[-1])
    return np.array(states), np.array(actions)


def returns(steps: int) -> NDArray[np.floating]:
    """What came after each step of an episode: 1 for every step from it on, each worth less than the one before it."""
    return (1 - DISCOUNT ** np.arange(steps, 0, -1)) / (1 - DISCOUNT)


def main() -> None:
    generator = np.random.Generator(np.random.Philox(11))
    played = [episode(lambda _: int(generator.integers(2)), generator) for _ in range(EPISODES)]
    np.savez_compressed(
        Path(__file__).parent / "cartpole.npz",
        observed=np.concatenate([states for states, _ in played]).astype(np.float32),
        action=np.concatenate([actions for _, actions in played]).astype(np.uint8),
        gain=np.concatenate([returns(len(states)) for states, _ in played]).astype(np.float32),
    )


if __name__ == "__main__":
    main()
