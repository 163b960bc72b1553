"""The rates of one service's calls, and whether they are too high (Resilience4j's thresholds)."""

from enum import Enum

from chassis.config.breaker_settings import BreakerSettings
from chassis.resilience import sliding_window
from chassis.resilience.sliding_window import CountBasedWindow, WindowFigures


class Verdict(Enum):
    """DOUBTFUL: only with the failures that are suspected."""

    WELL = "well"
    DOUBTFUL = "doubtful"
    BROKEN = "broken"


def assess(figures: WindowFigures, settings: BreakerSettings, least: int) -> Verdict:
    """Whether a threshold is reached, from `least` calls on."""
    if _is_over(figures.without_suspected(), settings, least):
        return Verdict.BROKEN
    return Verdict.DOUBTFUL if _is_over(figures, settings, least) else Verdict.WELL


def _is_over(figures: WindowFigures, settings: BreakerSettings, least: int) -> bool:
    return figures.calls >= least and (
        figures.failure_rate >= settings.failure_rate_threshold
        or figures.slow_rate >= settings.slow_call_rate_threshold
    )


class CallRates:
    """While a breaker is closed, and of the trial that closes it again."""

    def __init__(self, settings: BreakerSettings) -> None:
        self._settings = settings
        self.begin()
        self.begin_trial()

    def begin(self) -> None:
        self._window = sliding_window.of(self._settings)

    def begin_trial(self) -> None:
        self._trial_window = CountBasedWindow(self._settings.calls_of_a_trial)

    def follow(self, settings: BreakerSettings) -> None:
        before, self._settings = self._settings, settings
        shape = (settings.sliding_window_type, settings.sliding_window_size)
        if shape != (before.sliding_window_type, before.sliding_window_size):
            self.begin()

    def add(self, outcome: int, now: float) -> None:
        self._window.add(outcome, now)

    @property
    def has_faults(self) -> bool:
        return self._window.has_faults

    def figures(self, now: float) -> WindowFigures:
        return self._window.figures(now)

    def forgive(self) -> None:
        self._window.forgive()

    def verdict(self, now: float) -> Verdict:
        return assess(self._window.figures(now), self._settings, self._settings.calls_to_judge)

    def verdict_of_trial(self, outcome: int, now: float) -> Verdict | None:
        """Counts one more call of the trial; None until it was the last."""
        self._trial_window.add(outcome, now)
        figures, calls = self._trial_window.figures(now), self._settings.calls_of_a_trial
        return assess(figures, self._settings, calls) if figures.calls >= calls else None
