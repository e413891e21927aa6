//go:build !linux

package source

import "io/fs"

// stamp sets Size and ModTime. Without ctime and inode these do not prove that a file is unchanged,
// so it sets Std and a rerun reads the content again.
func (in *Input) stamp(info fs.FileInfo) {
	in.Std = true
	if info.Mode().IsRegular() {
		in.Size, in.ModTime = info.Size(), info.ModTime().UnixNano()
	}
}
