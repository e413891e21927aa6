//go:build !linux

package lab

import "errors"

func shutdown(string) error { return errors.ErrUnsupported }

func detach(string) error { return nil }

// MemoryFolder returns "": no folder in memory is known on this system.
func MemoryFolder() string { return "" }
