//go:build !linux

package disk

import "errors"

// Free is not supported on this system.
func Free(string) (int64, error) { return 0, errors.ErrUnsupported }

// OpenFiles is not supported on this system.
func OpenFiles() (int, error) { return 0, errors.ErrUnsupported }
