"""Transformers before a hidden layer, and the layer as one. Nothing is computed."""

from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    MetaEstimatorMixin,
    OneToOneFeatureMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_shallow._data.columns import Columns, read, table_of
from sk_shallow._data.constraints import (
    BOOL,
    NONE,
    Interval,
    Names,
    check_parameters,
    check_sample_weight,
    plain,
)
from sk_shallow._data.encoding import MAX_CATEGORIES, QUANTILES, Encoding
from sk_shallow._typing import Array, ColumnsLike, DataLike, Floats
from sk_shallow._version import Versioned


class _ListOfColumns:
    """Anything that lists columns."""

    def __contains__(self, value):
        """Whether value may be such a list."""
        is_none = (
            isinstance(value, (str, bytes, dict)) or getattr(value, "ndim", 1) == 0
        )
        return hasattr(value, "__len__") and not is_none

    def __str__(self):
        """As scikit-learn writes it."""
        return "an array-like"


class _Floats:
    """The dtypes float32 and float64, however written."""

    def __contains__(self, value):
        """Whether value is one."""
        is_dtype = isinstance(value, (type, str, np.dtype))
        return is_dtype and value in (*map(np.dtype, "fd"), "float32", "float64")

    def __str__(self):
        """As NumPy writes them."""
        return "numpy.float32, numpy.float64"


# What each parameter may be.
PARAMETERS = {
    "n_bins": (Interval(Integral, 1), NONE),
    "quantiles": (Names(QUANTILES),),
    "categorical_features": (Names(("from_dtype",)), _ListOfColumns(), NONE),
    "clip": (BOOL,),
    "max_categories": (Interval(Integral, 1), NONE),
    "dtype": (_Floats(), NONE),
}


class PiecewiseLinearEncoder(TransformerMixin, Versioned, BaseEstimator):
    """Encode columns so that a linear function of the result is piecewise linear.

    A number x becomes as many numbers as its column has bins: for each bin it is
    (x - left) / (right - left), with the edges of the bin, cut to [0, 1]; the first is
    not cut below and the last not above. The edges are quantiles of the column, and
    never look at `y`. A column of two values stays one column, and a constant one
    becomes a column of zeros.

    Labels become indicators, and a missing value is a value.

    Parameters
    ----------
    n_bins : int or None, default=16
        How many bins a column of numbers has at most; a column of fewer distinct values
        has its edges at all of them. None: columns of numbers stay as they are, and
        only labels and missing values are encoded.
    quantiles : {"auto", "rows", "distinct"}, default="auto"
        The edges are quantiles of the rows, with their weights, or of the distinct
        values. "auto": of the distinct values in a column with a value that more than
        1/n_bins of the rows have, else of the rows.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns hold labels:

        - "from_dtype": in a pandas or polars DataFrame the columns of categories, of
          strings and of booleans; in an array none.
        - None: none.
        - a mask of booleans, or the numbers or the names of the columns.
    max_categories : int or None, default=64
        How many indicators a column of labels gets at most, beside that for missing
        values: if it has more labels, the least frequent share the last one. None: one
        for each.
    clip : bool, default=False
        Whether the first bin is cut below and the last above, too: beyond its range a
        column then stands as at its end.
    dtype : {numpy.float32, numpy.float64} or None, default=None
        Of the result. None: float32 if all numbers of X are float32, else float64.

    Attributes
    ----------
    bin_edges_ : list of ndarray
        The edges of each column. A single one if the column is constant, an empty array
        if all of it is missing; None for a column of labels, or if `n_bins` is None.
    categories_ : list of ndarray
        The labels of each column, sorted; None for a column of numbers.
    infrequent_categories_ : list of ndarray
        Those of them that share an indicator; None if none do.
    is_categorical_ : ndarray of shape (n_features,)
        Which columns hold labels.
    mean_ : ndarray of shape (n_features,)
        The mean of each column of numbers, which stands for a missing value; NaN for a
        column of labels.
    missing_ : ndarray of shape (n_features,)
        In which columns `fit` has seen missing values beside others.
    n_features_in_ : int
        Number of columns of X.
    n_features_out_ : int
        Number of columns of the result.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, if they are strings.

    See Also
    --------
    sklearn.preprocessing.SplineTransformer : Smoother bases, of numbers only.
    sklearn.preprocessing.KBinsDiscretizer : Which bin, without the place in it.

    Notes
    -----
    A missing number is encoded as the mean of its column, with an indicator beside it
    if `fit` has seen missing values in that column. For labels, the missing are one
    more label. What `fit` has not seen has no indicator. Of two labels only the second
    has one, and a single label becomes a column of zeros.

    A sample of weight k counts as k copies, one of weight 0 as absent. Neither the
    order of the rows nor a shift or a positive factor of a column changes the result.

    References
    ----------
    Gorishniy, Rubachev, Babenko, "On embeddings for numerical features in tabular deep
    learning", NeurIPS 2022, https://arxiv.org/abs/2203.05556.

    Examples
    --------
    >>> from sk_shallow.preprocessing import PiecewiseLinearEncoder
    >>> X = [[0.0], [1.0], [2.0], [4.0], [8.0]]
    >>> encoder = PiecewiseLinearEncoder(n_bins=2).fit(X)
    >>> encoder.bin_edges_
    [array([0., 2., 8.])]
    >>> encoder.transform([[1.0], [5.0], [11.0]])
    array([[0.5, 0. ],
           [1. , 0.5],
           [1. , 1.5]])

    A linear model of the bins follows a curve:

    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> x = np.linspace(0, 6, 100)[:, None]
    >>> model = make_pipeline(PiecewiseLinearEncoder(), LinearRegression())
    >>> model.fit(x, np.sin(x)).score(x, np.sin(x)) > 0.999
    True
    """

    bin_edges_: list[Floats | None]
    categories_: list[Array | None]
    infrequent_categories_: list[Array | None]
    is_categorical_: NDArray[np.bool_]
    mean_: Floats
    missing_: NDArray[np.bool_]
    n_features_in_: int
    n_features_out_: int
    feature_names_in_: Array

    def __init__(
        self,
        n_bins: int | None = 16,
        *,
        quantiles: Literal["auto", "rows", "distinct"] = "auto",
        categorical_features: Literal["from_dtype"] | ColumnsLike | None = "from_dtype",
        max_categories: int | None = MAX_CATEGORIES,
        clip: bool = False,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.n_bins = n_bins
        self.quantiles = quantiles
        self.categorical_features = categorical_features
        self.max_categories = max_categories
        self.clip = clip
        self.dtype = dtype

    def fit(
        self, X: DataLike, y: object = None, sample_weight: DataLike | None = None
    ) -> Self:
        """Find the edges and the labels.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            Numbers and labels, with NaN, None or NA where they are missing.
        y : None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights: a sample of weight k counts as k copies, one of weight 0 as absent.

        Returns
        -------
        self : PiecewiseLinearEncoder
            Fitted.
        """
        self._fit(X, sample_weight)
        return self

    def fit_transform(
        self, X: DataLike, y: object = None, sample_weight: DataLike | None = None
    ) -> Floats:
        """Fit, and encode the same samples, which are read once.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            As in `fit`.
        y : None
            Not used.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, `n_features_out_`)
            The columns encoded, one after the other.
        """
        columns = self._fit(X, sample_weight)
        return self._encoding.transform(columns, self.dtype)

    def transform(self, X: DataLike) -> Floats:
        """Encode the columns of X.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            Samples with the columns of those in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, `n_features_out_`)
            The columns encoded, one after the other.
        """
        check_is_fitted(self)
        columns = self._read(X, self.is_categorical_, reset=False)
        return self._encoding.transform(columns, self.dtype)

    def get_feature_names_out(self, input_features: DataLike | None = None) -> Array:
        """Name the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None: `feature_names_in_`, or "x0", "x1", ...

        Returns
        -------
        ndarray of str
            "x0_bin_0", "x0_bin_1", ... for the bins of "x0", or "x0" if it stays one
            column; "x0_a" for the label "a", "x0_infrequent" for those that share an
            indicator; "missingindicator_x0" for missing values.
        """
        check_is_fitted(self)
        names = OneToOneFeatureMixin.get_feature_names_out(self, input_features)
        return np.array(self._encoding.names(names), dtype=object)

    def _fit(self, X, sample_weight):
        """Set the fitted attributes; gives the columns of X."""
        check_parameters(self, PARAMETERS)
        columns = self._read(X, self.categorical_features, reset=True)
        present, w = columns, sample_weight
        if w is not None:
            w = check_sample_weight(w, columns.n_samples)
            present, w = columns.take(w > 0), w[w > 0]
        rules = {name: plain(getattr(self, name), PARAMETERS[name]) for name in _RULES}
        self._keep(Encoding.of(present, w, **rules))
        return columns

    def _read(self, X, categorical_features, *, reset):
        """The columns of X, which may have been read before."""
        is_read = isinstance(X, Columns)
        table = X if is_read else table_of(X)
        validate_data(self, table.header, reset=reset, skip_check_array=True)
        return X if is_read else read(table, categorical_features)

    @classmethod
    def fitted(cls, encoding: Encoding, estimator: Any, **parameters: Any) -> Self:
        """An encoder that has this encoding, of the columns of a fitted estimator.

        Parameters
        ----------
        encoding : Encoding
            What a network keeps of the columns.
        estimator : estimator
            The names and the number of its features are taken over.
        **parameters : dict
            Those of the encoder.

        Returns
        -------
        PiecewiseLinearEncoder
            It is fitted.
        """
        encoder = cls(**parameters)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(encoder, name, getattr(estimator, name))
        encoder._keep(encoding)
        return encoder

    def _keep(self, encoding):
        """The encoding as fitted attributes."""
        features = encoding.features
        self._encoding = encoding
        self.is_categorical_ = encoding.is_categorical
        self.bin_edges_ = [one.edges for one in features]
        self.categories_ = [one.categories for one in features]
        self.infrequent_categories_ = [one.infrequent_categories for one in features]
        self.mean_ = np.array([one.mean for one in features])
        self.missing_ = np.array([one.missing for one in features])
        self.n_features_out_ = encoding.n_columns

    def __sklearn_tags__(self):
        """What scikit-learn's checks and pipelines have to know."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        preserved = ["float64", "float32"] if self.dtype is None else []
        tags.transformer_tags.preserves_dtype = preserved
        return tags


class HiddenLayer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    MetaEstimatorMixin,
    Versioned,
    BaseEstimator,
):
    """The hidden layer of a network, trained for its targets, as a transformer.

    Parameters
    ----------
    estimator : ShallowNNClassifier or ShallowNNRegressor
        It is cloned and fitted; one in scikit-learn's `FrozenEstimator` stays as it is.

    Attributes
    ----------
    estimator_ : estimator
        The fitted network.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if all of them are strings.

    Examples
    --------
    What ten units have learned of the digits serves other models:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sk_shallow import ShallowNNClassifier
    >>> from sk_shallow.preprocessing import HiddenLayer
    >>> X, y = load_digits(return_X_y=True)
    >>> net = ShallowNNClassifier(10, alpha=1.0, activation="tanh", random_state=0)
    >>> model = make_pipeline(HiddenLayer(net), KNeighborsClassifier())
    >>> bool(model.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9)
    True
    >>> model[0].transform(X).shape, model[0].get_feature_names_out()[0]
    ((1797, 10), 'hiddenlayer0')
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: DataLike, y: DataLike, **fit_params: Any) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The network's targets.
        **fit_params : dict
            For the network's `fit`.

        Returns
        -------
        self : object
        """
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params)["estimator"]["fit"]
        self.estimator_ = clone(self.estimator).fit(X, y, **fit_params)
        return self

    def transform(self, X: DataLike) -> Floats:
        """A1, what the hidden units give.

        Parameters
        ----------
        X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_units)
        """
        check_is_fitted(self)
        return self.estimator_.hidden_layer(X)

    def get_metadata_routing(self) -> MetadataRouter:
        """What is told to `fit` is for that of the network."""
        mapping = MethodMapping()
        for caller in ("fit", "fit_transform"):
            mapping.add(caller=caller, callee="fit")
        router = MetadataRouter(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.estimator_.n_features_in_

    @property
    def feature_names_in_(self) -> Array:
        """Names of the features, if all of them are strings."""
        return self.estimator_.feature_names_in_

    @property
    def _n_features_out(self):
        """The number of units, for the names."""
        return len(self.estimator_.intercepts_[0])

    def __sklearn_tags__(self):
        """As the network's, and y is needed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


# The parameters that say what becomes of columns that have been read.
_RULES = ("n_bins", "quantiles", "max_categories", "clip")
