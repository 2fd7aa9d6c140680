// Package riverqueue runs the jobs of a sweep with River (riverqueue.com), in the
// database that the store is in: SQLite for one process, PostgreSQL for a fleet. A job
// and its results are committed together.
//
// Only this file is compiled without the build tag sweep: go install ./..., which
// pre-commit runs on each developer's machine, must not compile River and the drivers of
// two databases.
package riverqueue
