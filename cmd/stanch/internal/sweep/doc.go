// Package sweep is the command stanch sweep. Without the build tag sweep it only says how
// to install the command.
package sweep
