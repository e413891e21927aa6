//go:build !linux

package disk

import "errors"

// Free is how many bytes the volume of the folder name still takes from this user: on this system
// nobody knows.
func Free(string) (int64, error) { return 0, errors.ErrUnsupported }

// OpenFiles is how many files and connections this process may have open at once: on this system
// nobody knows.
func OpenFiles() (int, error) { return 0, errors.ErrUnsupported }
