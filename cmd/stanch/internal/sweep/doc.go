// Package sweep is the command stanch sweep. Without the build tag sweep it only says where
// the command can be had.
package sweep
