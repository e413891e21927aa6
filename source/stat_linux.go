package source

import (
	"io/fs"
	"syscall"
)

// stamp sets the fields that show whether a file is unchanged. Only a regular file has such a stat;
// for any other, stamp sets Std.
func (in *Input) stamp(info fs.FileInfo) {
	if !info.Mode().IsRegular() {
		in.Std = true
		return
	}
	in.Size, in.ModTime = info.Size(), info.ModTime().UnixNano()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		in.ChangeTime, in.Inode = st.Ctim.Nano(), st.Ino
	}
}
