"""What other tools call the keys of a config: answered with "did you mean", never taken silently.

The tools are scikit-learn, Keras, PyTorch and Lightning, Ludwig, FANN, Weka, MATLAB and R's nnet. Case,
underscores and hyphens do not count: `learningRate`, `learning-rate` and `learning_rate` are one name.
"""

# The key here: the names that other tools give it. Within its own section the last step is suggested.
_KEYS = {
    "seed": "random_state random_seed rng manual_seed np_seed global_seed",
    "format": "version config_version schema",
    "task": "problem problem_type task_type model_type objective_type",
    "loss": "criterion loss_function loss_fn objective cost cost_function error train_error_function"
    " error_function perform_fcn loss_type loss_func",
    "loss.class_weight": "class_weights classweight pos_weight cost_matrix",
    "loss.label_smoothing": "smoothing smooth_labels",
    "loss.reduction": "reduction reduce size_average aggregation",
    "optimizer": "solver optim optimiser opt algorithm training_algorithm train_fcn updater",
    "optimizer.learning_rate": "learning_rate lr eta alpha rate step_size learning_rate_init base_lr eta0 stepsize"
    " initial_learning_rate lr0 max_lr",
    "optimizer.weight_decay": "wd weightdecay decay_rate l2_regularization decay_lambda quickprop_decay",
    "schedule": "scheduler lr_scheduler lr_schedule learning_rate_schedule decay learning_rate_scheduler lr_decay"
    " learning_rate_decay",
    "schedule.warmup": "warm_up warmup_epochs warmup_steps learning_rate_warmup learning_rate_warmup_epochs"
    " warmup_fraction num_warmup_steps",
    "metrics": "metric scoring scorer scorers evaluation_metrics weighted_metrics eval_metric",
    "network": "model net mlp architecture_config combiner nn neural_network",
    "network.sizes": "hidden_layer_sizes layers layer_sizes hidden_sizes hidden hidden_layers units neurons"
    " architecture topology size dense linear hidden_units hidden_dims fc_layers fc_size num_fc_layers output_size"
    " num_neurons_hidden num_neurons num_layers n_layers n_hidden num_hidden in_features out_features"
    " input_size input_shape input_dim num_input num_output n_units width widths nodes sequential",
    "network.activations": "activation activation_function transfer_function nonlinearity transfer_fcn"
    " activation_function_hidden activation_function_output hidden_activation output_activation fc_activation"
    " out_activation act",
    "network.initializer": "init initialiser initializers weight_init kernel_initializer initialization"
    " weights_initializer weight_initializer init_fcn bias_initializer winit",
    "network.dropout": "dropout_rate drop_rate drop_prob keep_prob dropouts fc_dropout hidden_dropout",
    "network.bias": "biases use_bias fit_intercept",
    "network.dtype": "precision float floatx numeric_precision",
    "training": "fit train_config trainer trainer_config training_args train_param hyperparameters",
    "training.mode": "learning_mode update_mode train_mode",
    "training.epochs": "max_iter max_epochs n_epochs num_epochs nb_epoch nepochs iterations epoch maxit training_time"
    " num_train_epochs max_iterations n_iter train_steps max_steps",
    "training.batch_size": "batchsize batch minibatch_size mini_batch_size per_device_train_batch_size samples_per_gpu",
    "training.shuffle": "shuffle_data shuffling shuffle_training should_shuffle",
    "training.engine": "backend device accelerator",
    "training.threads": "n_jobs num_threads workers num_workers nthreads",
    "training.penalty": "regularization regularizer kernel_regularizer regularizers",
    "training.penalty.l1": "l1_penalty l1_reg lasso l1_lambda",
    "training.penalty.l2": "l2_penalty l2_reg ridge regularization_strength regularization_lambda l2_lambda reg_lambda",
    "training.clip_norm": "clipnorm max_grad_norm gradient_clip_norm grad_clip global_clipnorm gradient_clipping"
    " clip_grad_norm gradient_clip_val clipglobalnorm gradient_threshold",
    "training.clip_value": "clipvalue gradient_clip_value clip_grad_value",
    "training.max_norm": "maxnorm kernel_constraint max_weight_norm",
    "training.noise": "gradient_noise grad_noise",
    "training.accumulate": "accumulate_grad_batches gradient_accumulation gradient_accumulation_steps accumulation",
    "training.average": "ema moving_average swa averaging use_ema",
    "training.average.decay": "ema_momentum ema_decay",
    "training.early_stopping": "early_stop earlystopping early_stopper",
    "training.early_stopping.monitor": "validation_metric metric_for_best_model",
    "training.early_stopping.min_delta": "threshold early_stopping_threshold",
    "training.early_stopping.patience": "n_iter_no_change validation_threshold max_fail validation_patience"
    " early_stopping_patience early_stopping_rounds",
    "training.early_stopping.restore_best": "restore_best_weights load_best_model_at_end",
    "training.max_time": "time_limit max_seconds timeout time_budget train_time_limit",
    "training.stop_at": "stop_when stop_criterion train_stop_function",
    "training.stop_at.loss": "desired_error target_loss goal bit_fail_limit abstol",
    "training.stop_at.gradient_norm": "min_grad gtol",
    "silence": "suppress mute ignore_warnings filterwarnings warnings nowarn",
    "checkpoint": "checkpoints save checkpointing model_checkpoint",
    "checkpoint.every": "save_every frequency interval period save_freq save_steps checkpoints_per_epoch"
    " steps_per_checkpoint save_strategy",
    "checkpoint.keep": "save_total_limit save_top_k max_to_keep keep_last",
    "data.train": "train_file train_data training_data file path filename dataset x_train data_path csv train_path"
    " training_set",
    "data.validation": "validation_data validation_file val_data val_path x_val validation_set",
    "data.test": "test_data test_file x_test test_set test_path",
    "data.target": "label labels targets target_column output outputs y output_features label_column response"
    " class_attribute y_column target_field dependent_variable",
    "data.features": "input_columns feature_columns inputs input x input_features predictors feature_names",
    "data.exclude": "drop ignore drop_columns ignored_columns skip_columns",
    "data.columns": "dtypes types column_types feature_types categorical_features",
    "data.scale": "normalize normalise normalization scaling scaler standardize normalize_attributes preprocessing"
    " feature_scaling process_fcn",
    "data.scale_target": "normalize_numeric_class target_scaler scale_y normalize_target",
    "data.weight": "sample_weight weights sample_weights row_weight instance_weight case_weights",
    "data.missing": "missing_values impute imputer na missing_value_strategy na_action na_values",
    "data.split.validation": "validation_split validation_fraction val_split val_size val valid validation_set_size"
    " val_ratio dev",
    "data.split.test": "test_size test_split test_fraction test_ratio holdout",
    "data.split.stratify": "stratified stratification",
    # options of parts: suggested where the part has them
    "name": "type kind class_name class method",
    "mu": "momentum learning_momentum momentums quickprop_mu",
    "beta1": "beta_1 b1 betas",
    "beta2": "beta_2 b2 betas",
    "epsilon": "eps",
    "momentum_decay": "schedule_decay",
    "rho": "smoothing_constant discounting_factor alpha decay decay_rate",
    "variant": "kind algorithm type",
    "eta_plus": "increase_factor delt_inc rprop_increase_factor learning_rate_factor_plus",
    "eta_minus": "decrease_factor delt_dec rprop_decrease_factor learning_rate_factor_minus",
    "step_min": "delta_min min_step rprop_delta_min stepsizes",
    "step_max": "delta_max max_step rprop_delta_max step_sizes",
    "gamma": "drop_rate decay_rate rate reduce_factor",
    "every": "drop_every step_size decay_steps milestones",
    "period": "t_0 first_decay_steps t_max",
    "t_mult": "t_mul",
    "power": "power_t",
    "peak": "pct_start",
    "memory": "history_size maxcor m",
    "max_evaluations": "max_eval max_fun maxls maxfun",
    "lambda_start": "lambda",
    "mu_increase": "mu_inc",
    "mu_decrease": "mu_dec",
    "tolerance": "gtol tol tolerance_grad min_grad reltol tolerance_change ftol",
    "slope": "negative_slope leak alpha",
    "delta": "huber_delta beta",
    "tau": "quantile q",
    "std": "stddev sigma",
    "low": "min minval",
    "high": "max maxval",
    "to": "feature_range range",
    "floor": "eta_min min_lr alpha end_learning_rate reduce_limit",
    "factor": "reduce_learning_rate_on_plateau_rate",
    "decay": "decay_rate",
    "bins": "n_bins num_bins",
}

# What other tools have in their configs and is an option of the command line here.
_OPTIONS = {
    "--verbose": "verbose verbosity log_level epochs_between_reports",
    "--quiet": "silent quiet",
    "--resume": "warm_start resume resume_from_checkpoint initial_epoch model_resume_path",
    "--out": "output_dir output_directory out logdir log_dir save_dir save_path run_dir default_root_dir run_name",
    "--overwrite": "overwrite overwrite_output_dir",
    "--plugin": "plugin plugins custom_objects module",
    "--seeds": "seeds repeats repetitions n_seeds",
}


def squeezed(name: str) -> str:
    """A name without case, underscores, hyphens and spaces."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def turned(table: dict[str, str]) -> dict[str, list[str]]:
    """Foreign name -> what it may mean, in the order of the table."""
    found: dict[str, list[str]] = {}
    for meant, words in table.items():
        for foreign in words.split():
            found.setdefault(squeezed(foreign), []).append(meant)
    return found


KEYS = turned(_KEYS)
OPTIONS = turned(_OPTIONS)
