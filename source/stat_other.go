//go:build !linux

package source

import "io/fs"

// stamp fills in what tells an unchanged file. Without ctime and inode there is nothing to trust:
// the content is read again each time.
func (in *Input) stamp(info fs.FileInfo) {
	in.Std = true
	if info.Mode().IsRegular() {
		in.Size, in.ModTime = info.Size(), info.ModTime().UnixNano()
	}
}
