/* STREAM's triad as a plain loop: gcc -O3 -march=native -fopenmp. Prints the seconds of each pass over arrays of argv[1] floats. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1L << 25, passes = argc > 2 ? atol(argv[2]) : 12;
    float *a = aligned_alloc(64, n * 4), *b = aligned_alloc(64, n * 4), *c = aligned_alloc(64, n * 4);
    if (!a || !b || !c) return 1;
#pragma omp parallel for
    for (long i = 0; i < n; i++) { a[i] = 1; b[i] = 2; c[i] = 0; }
    for (long k = 0; k < passes; k++) {
        struct timespec s, e;
        clock_gettime(CLOCK_MONOTONIC, &s);
#pragma omp parallel for
        for (long i = 0; i < n; i++) c[i] = a[i] + 1.5f * b[i];
        clock_gettime(CLOCK_MONOTONIC, &e);
        printf("%.9f\n", (e.tv_sec - s.tv_sec) + 1e-9 * (e.tv_nsec - s.tv_nsec));
    }
    return c[n / 2] == 4.0f ? 0 : 2;
}
