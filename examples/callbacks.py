"""Callbacks: keep the best, stop in time, prune trials
====================================================

Three callbacks that follow scikit-learn's protocol: four methods, no class to inherit
from. Each takes what it wants of X, y, metadata and fitted_estimator. scikit-learn 1.9
is needed; trials are pruned where Optuna is installed, and progress is shown where rich
is.
"""

# %%
# The callbacks
# -------------

# sphinx_gallery_thumbnail_path = "_generated/thumbnails/callbacks.png"
import time
from importlib.util import find_spec

from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sk_shallow import ShallowNNClassifier, ShallowNNRegressor


class KeepBest:
    """Keeps the network of the epoch with the lowest `loss(model)`.

    With a callable, such as `lambda model: joblib.dump(model, "best.joblib")`, it is
    saved, too.
    """

    def __init__(self, loss, save=None):
        self.loss, self.save = loss, save

    def setup(self, estimator, context):
        self.model, self.epoch, self.lowest = None, None, float("inf")

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name != "epoch":
            return
        loss = self.loss(fitted_estimator)
        if loss < self.lowest:
            self.model = fitted_estimator.set_callbacks()  # none in what is kept
            self.lowest, self.epoch = loss, context.task_id
            if self.save is not None:
                self.save(self.model)

    def teardown(self, estimator, context):
        pass


class StopAfter:
    """Ends training after so many seconds, whatever is trained then: a race, too."""

    def __init__(self, seconds, clock=time.monotonic):
        self.seconds, self.clock = seconds, clock

    def setup(self, estimator, context):
        self.end = self.clock() + self.seconds

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return self.clock() >= self.end

    def teardown(self, estimator, context):
        pass


class Prune:
    """Reports each epoch to a trial of Optuna, and raises `pruned` if it is hopeless.

    `loss(model)` is what the study minimises. `fit` leaves the estimator as it was.
    """

    def __init__(self, trial, loss, pruned):
        self.trial, self.loss, self.pruned = trial, loss, pruned

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        if context.task_name == "epoch":
            self.trial.report(self.loss(fitted_estimator), context.task_id)
            if self.trial.should_prune():
                raise self.pruned(f"pruned after epoch {context.task_id}")

    def teardown(self, estimator, context):
        pass


# %%
# What they do
# ------------
# A small alpha and too many epochs: the best network is not the last. The default,
# race and all, ends after a second. A search gives hopeless trials up.


def cancer():
    """Samples to train on, and the loss of a model on others."""
    X, y = load_breast_cancer(return_X_y=True)
    X, X_val, y, y_val = train_test_split(X, y, random_state=0, stratify=y)
    return X, y, lambda model: log_loss(y_val, model.predict_proba(X_val))


def keep_best():
    """A small alpha and too many epochs: the best network is not the last."""
    X, y, loss = cancer()
    best = KeepBest(loss)
    net = ShallowNNClassifier(50, alpha=1e-3, max_iter=100, random_state=0)
    net.set_callbacks(best).fit(X, y)
    print(
        f"kept: held-out loss {best.lowest:.3f} after epoch {best.epoch}; "
        f"at the end {loss(net):.3f}"
    )


def stop_in_time(seconds=1.0):
    """The default, race and all, in so many seconds, and what is in work then."""
    X, y = load_diabetes(return_X_y=True)
    callbacks = [StopAfter(seconds)]
    if find_spec("rich") is not None:
        from sklearn.callback import ProgressBar

        callbacks.append(ProgressBar())
    net = ShallowNNRegressor(random_state=0).set_callbacks(*callbacks)
    start = time.monotonic()
    net.fit(X, y)
    print(
        f"stopped: {len(net.search_results_['loss'])} recipes in "
        f"{time.monotonic() - start:.1f} s, R² {net.score(X, y):.2f}"
    )


def prune(n_trials=30):
    """A search for a rate, a width and a penalty that gives hopeless trials up."""
    if find_spec("optuna") is None:
        print("pruned: nothing, as Optuna is not installed")
        return
    import optuna

    X, y, loss = cancer()

    def objective(trial):
        net = ShallowNNClassifier(
            trial.suggest_int("n_hidden", 5, 100, log=True),
            alpha=trial.suggest_float("alpha", 1e-3, 1e3, log=True),
            learning_rate_init=trial.suggest_float("rate", 1e-4, 0.1, log=True),
            solver="adam",
            max_iter=50,
            random_state=0,
        )
        net.set_callbacks(Prune(trial, loss, optuna.TrialPruned))
        return loss(net.fit(X, y))

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=10),
    )
    study.optimize(objective, n_trials)
    n_pruned = sum(trial.state.name == "PRUNED" for trial in study.trials)
    print(f"pruned: {n_pruned} of {n_trials} trials, best loss {study.best_value:.3f}")


if __name__ == "__main__":
    keep_best()
    stop_in_time()
    prune()
