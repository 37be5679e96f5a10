"""What happens between batches and epochs: stop early, save, log, change the learning rate."""

from tinydl.callbacks.callback import Callback
from tinydl.callbacks.callback_list import CallbackList
from tinydl.callbacks.csv_logger import CSVLogger
from tinydl.callbacks.early_stopping import EarlyStopping
from tinydl.callbacks.history import History
from tinydl.callbacks.lambda_callback import LambdaCallback
from tinydl.callbacks.learning_rates import LearningRateScheduler, ReduceLROnPlateau
from tinydl.callbacks.model_checkpoint import ModelCheckpoint
from tinydl.callbacks.progbar_logger import ProgbarLogger
from tinydl.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
