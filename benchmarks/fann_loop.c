/* FANN's own training on the data of one case.

   fann_loop DIR RATE incremental|batch ROWS N_0 ... N_L

   DIR holds inputs, targets and weights as raw float32. Each number of rows read from stdin is one epoch over the
   first rows, whose seconds are printed; 0 writes the weights back to their file instead, and prints 0. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <floatfann.h>

static float *read_floats(const char *dir, const char *name, size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    float *values = malloc(count * sizeof *values);
    FILE *file = fopen(path, "rb");
    if (!values || !file || fread(values, sizeof *values, count, file) != count) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return values;
}

static void write_floats(const char *dir, const char *name, const float *values, size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(values, sizeof *values, count, file) != count || fclose(file)) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

int main(int count, char **words)
{
    const char *dir = words[1];
    unsigned rows = strtoul(words[4], NULL, 10), layers = count - 5, sizes[16];
    for (unsigned i = 0; i < layers; i++)
        sizes[i] = strtoul(words[5 + i], NULL, 10);
    unsigned n_in = sizes[0], n_out = sizes[layers - 1];

    struct fann *net = fann_create_standard_array(layers, sizes);
    fann_set_activation_function_hidden(net, FANN_SIGMOID); /* with the steepness 0.5 it is 1 / (1 + e^-z) */
    fann_set_activation_function_output(net, FANN_SIGMOID);
    fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    fann_set_training_algorithm(net, strcmp(words[3], "batch") ? FANN_TRAIN_INCREMENTAL : FANN_TRAIN_BATCH);
    fann_set_learning_rate(net, strtof(words[2], NULL));
    memcpy(net->weights, read_floats(dir, "weights", net->total_connections), net->total_connections * sizeof(float));

    struct fann_train_data *data = fann_create_train(rows, n_in, n_out);
    float *inputs = read_floats(dir, "inputs", (size_t)rows * n_in);
    float *targets = read_floats(dir, "targets", (size_t)rows * n_out);
    for (unsigned r = 0; r < rows; r++) {
        memcpy(data->input[r], inputs + (size_t)r * n_in, n_in * sizeof(float));
        memcpy(data->output[r], targets + (size_t)r * n_out, n_out * sizeof(float));
    }

    unsigned wanted;
    while (scanf("%u", &wanted) == 1) {
        double start = now();
        if (wanted > 0) {
            data->num_data = wanted;
            fann_train_epoch(net, data);
        } else {
            write_floats(dir, "weights", net->weights, net->total_connections);
        }
        printf("%.9f\n", wanted > 0 ? now() - start : 0.0);
        fflush(stdout);
    }
    return 0;
}
