package source

import (
	"io/fs"
	"syscall"
)

// stamp fills in what tells an unchanged file. Only a regular file has a stat that can be trusted.
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
