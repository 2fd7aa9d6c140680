// Package metrics says how sweeps fare, in the format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats), with the library of its makers.
//
// Only this file is compiled without the build tag sweep: go install ./..., which
// pre-commit runs on each developer's machine, must not compile that library.
package metrics
