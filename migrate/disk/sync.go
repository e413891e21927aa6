//go:build !nosync

package disk

import "os"

func file(f *os.File) File { return f }

func syncFolder(d *os.File) error { return d.Sync() }
