//go:build !linux

package lab

import "errors"

func shutdown(string) error { return errors.ErrUnsupported }

func detach(string) error { return nil }

// MemoryFolder is a folder in memory with room for the images of volumes: none is known here.
func MemoryFolder() string { return "" }
