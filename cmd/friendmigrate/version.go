package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker for a release; else the module's or the commit's is told.
var version string

// programVersion is the version in one word.
func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func (p *program) showVersion() error {
	_, err := fmt.Fprintln(p.Std.Out, p.VersionLine())
	return err
}
