"""NSGA-II that is told of trials of earlier generations: Optuna's counts only its own proposals."""

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import NSGAIISampler
from optuna.trial import FrozenTrial


class Generations(NSGAIISampler):
    """Proposes ``replayed`` while there are such parameters, and counts that trial to its generation.

    A trial that is enqueued or added has no generation, and would be nobody's parent.
    """

    replayed: dict[str, Any] | None = None

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """A child of the generation before."""
        if self.replayed is None:
            return super().sample_relative(study, trial, search_space)
        self.get_trial_generation(study, trial)
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value at random, as of a mutation."""
        if self.replayed is None:
            return super().sample_independent(study, trial, param_name, param_distribution)
        return self.replayed[param_name]
