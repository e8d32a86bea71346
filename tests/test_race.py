"""The race, on toy functions: it sees recipes and numbers only."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sk_shallow._choice.race import MOST_STEPS, ROUNDS, Race, is_behind, mean_loss


class Toy(NamedTuple):
    kind: str
    alpha: float

    @property
    def names(self):
        return self._asdict()


@dataclass
class Curve:
    """A loss that falls to its floor as (alpha/best)² + rate/steps."""

    recipe: Toy
    floors: dict
    best_alpha: float = 1.0
    patience: int = 800
    n_steps: int = 0
    log: list = field(default_factory=list)

    def advance_to(self, n_steps):
        work, self.n_steps = max(0, n_steps - self.n_steps), max(n_steps, self.n_steps)
        self.log.append((self.recipe, self.n_steps))
        return work

    def fork(self, recipe):
        return Curve(
            recipe,
            self.floors,
            self.best_alpha,
            self.patience,
            self.n_steps // 2,
            self.log,
        )

    @property
    def losses(self):
        distance = np.log(self.recipe.alpha / self.best_alpha) ** 2
        loss = self.floors[self.recipe.kind] + 0.01 * distance + 1 / self.n_steps
        return loss + 1e-4 * np.sin(np.arange(50))

    @property
    def weights(self):
        return np.ones(50)

    @property
    def is_over(self):
        return self.n_steps >= self.patience


def moves(recipe, factors):
    alphas = [recipe.alpha * factor for factor in factors]
    return [recipe._replace(alpha=a) for a in alphas if 1e-4 <= a <= 1e4]


def run(
    floors,
    best_alpha=1.0,
    allowance=np.inf,
    patience=800,
    factors=(10, 0.1),
    shifts=(10**-0.5, 10**0.5),
):
    log = []
    race = Race(lambda r: Curve(r, floors, best_alpha, patience, 0, log), allowance)
    winner = race.run(
        [Toy(kind, 1.0) for kind in floors],
        lambda recipe: moves(recipe, factors),
        lambda recipe: moves(recipe, shifts),
    )
    return winner, race, log


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 8))
def test_the_best_kind_wins_wherever_it_stands(seed, n):
    floors = dict(
        zip(
            "abcdefgh"[:n],
            np.random.default_rng(seed).permutation(n) + 1.0,
            strict=True,
        )
    )
    winner, _, _ = run(floors)
    assert winner.recipe.kind == min(floors, key=floors.get)


@pytest.mark.parametrize("best_alpha", [1e-3, 0.03, 1.0, 30.0, 1e3])
def test_the_penalty_is_followed_to_its_optimum(best_alpha):
    winner, _, _ = run({"a": 1.0, "b": 2.0}, best_alpha)
    assert abs(np.log10(winner.recipe.alpha / best_alpha)) <= 0.5 + 1e-9


@pytest.mark.parametrize("patience", [100, 800, 3200])
def test_the_winner_trains_until_it_is_over(patience):
    winner, _, _ = run({"a": 1.0, "b": 2.0}, patience=patience)
    assert patience <= winner.n_steps <= max(2 * patience, ROUNDS[0][0])


def test_there_is_a_last_step():
    winner, _, _ = run({"a": 1.0}, patience=10**9)
    assert MOST_STEPS / 2 < winner.n_steps <= MOST_STEPS


def test_most_of_the_work_is_the_winners():
    winner, _, log = run(dict.fromkeys("abcdef", 2.0) | {"g": 1.0}, patience=6400)
    last = {}
    for recipe, n_steps in log:
        last[recipe] = max(last.get(recipe, 0), n_steps)
    others = sum(steps for recipe, steps in last.items() if recipe.kind != "g")
    assert others < winner.n_steps


def test_an_allowance_ends_the_race():
    winner, _, log = run({"a": 1.0, "b": 2.0}, allowance=500, patience=10**9)
    assert winner.recipe.kind == "a"
    assert winner.n_steps <= 2 * ROUNDS[-1][0]
    assert max(steps for recipe, steps in log if recipe.kind == "b") == ROUNDS[0][0]


def test_what_diverges_is_out():
    winner, race, _ = run({"a": np.inf, "b": 2.0})
    assert winner.recipe.kind == "b"
    assert is_behind(Curve(Toy("a", 1.0), {"a": np.nan}, n_steps=1), winner)
    assert race.table()["kind"][0] == "a"


@pytest.mark.parametrize("best_alpha", [1e-3, 0.03, 1.0, 30.0, 1e3])
def test_forks_alone_follow_the_penalty_to_its_optimum(best_alpha):
    winner, _, _ = run({"a": 1.0}, best_alpha, factors=())
    assert abs(np.log10(winner.recipe.alpha / best_alpha)) <= 0.25 + 1e-9


def test_forks_end_where_there_is_no_further_shift():
    winner, _, _ = run({"a": 1.0}, 1e-9, factors=(), shifts=(0.1,))
    assert winner.recipe.alpha == pytest.approx(1e-4)


def test_a_race_is_silent_unless_verbose(capsys):
    run({"a": 1.0})
    assert capsys.readouterr().out == ""


def test_the_first_shift_is_tried_again_and_again_and_the_others_once():
    _, _, log = run({"a": 1.0}, patience=3200, factors=(), shifts=(0.5, 2.0, 3.0))
    tried = [sum(recipe.alpha == alpha for recipe, _ in log) for alpha in (0.5, 2, 3)]
    assert tried == [4, 1, 1]


def test_what_is_left_of_the_allowance_is_for_newcomers_and_half_again_for_the_winner():
    _, race, _ = run({"a": 1.0, "b": 1.0}, allowance=150)
    assert set(race.table()["alpha"]) == {1.0}
    winner, _, _ = run({"a": 1.0}, 1.0, 700, 10**9, factors=(), shifts=())
    assert winner.n_steps == 1600


class Judged(NamedTuple):
    losses: np.ndarray
    weights: np.ndarray


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-0.5, 1.5))
def test_behind_is_two_standard_errors_of_the_mean_gap_over_copies(seed, shift):
    rng = np.random.default_rng(seed)
    k, (losses, gaps) = rng.integers(1, 5, 30), rng.normal(size=(2, 30))
    leader, other = (Judged(x, k) for x in (losses, losses + gaps + shift))
    copies = np.repeat(other.losses - losses, k)
    z = copies.mean() / (copies.std() / np.sqrt(len(copies)))
    assert is_behind(other, leader) == (z > 2)
    assert mean_loss(other) == pytest.approx(np.repeat(other.losses, k).mean())


def test_the_table_has_a_row_for_every_recipe():
    winner, race, log = run({"a": 1.0, "b": 2.0})
    table = race.table()
    assert set(table) == {"kind", "alpha", "n_steps", "loss"}
    tried = set(zip(table["kind"], table["alpha"], strict=True))
    assert tried == {tuple(recipe) for recipe, _ in log}
    assert min(table["loss"]) == mean_loss(winner)
