package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Standard is how the user names standard input.
const Standard = "-"

// Input is what a job remembers of one of its inputs.
type Input struct {
	Name   string `json:"name"`   // as the user named it, a file of a folder with the folder's name before it
	Format string `json:"format"` // CSV or JSONL
	Digest string `json:"digest"` // SHA-256 of the whole raw content (compressed if it is), in hex

	// Size is in bytes of the raw content, the times are in nanoseconds since 1970. While these four are as they were the content is taken for unchanged.
	Size       int64  `json:"size"`
	ModTime    int64  `json:"mtime,omitempty"`
	ChangeTime int64  `json:"ctime,omitempty"`
	Inode      uint64 `json:"inode,omitempty"`

	Std bool `json:"stdin,omitempty"` // standard input, or another stream without a stat to trust
}

// compression is how the content of an input is packed.
type compression uint8

const (
	compressionNone compression = iota
	compressionGzip
	compressionZstd
)

// nameSays tells format and compression by a file's name; "" and compressionNone where it doesn't say.
func nameSays(name string) (format string, packed compression) {
	ext := filepath.Ext(name)
	switch strings.ToLower(ext) {
	case ".gz":
		packed, name = compressionGzip, strings.TrimSuffix(name, ext)
	case ".zst":
		packed, name = compressionZstd, strings.TrimSuffix(name, ext)
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		format = CSV
	case ".jsonl", ".ndjson":
		format = JSONL
	}
	return format, packed
}

// Resolve lists the inputs that the arguments name, in order: a file or "-" is itself, a folder is its inputs in name order. The inputs of a folder are its
// files whose names say a format, and with a format given also those whose names don't say one and begin with neither '.' nor '_'; folders in it are left
// alone. What is not there, cannot be read or has no known format is an *InputError.
func Resolve(args []string, format string) ([]string, error) {
	if len(args) == 0 {
		return nil, &OptionError{"INPUT", "none was given"}
	}
	var names []string
	for _, arg := range args {
		list, err := expand(arg, format)
		if err != nil {
			return nil, err
		}
		names = append(names, list...)
	}
	return names, checkNames(names, format)
}

func checkNames(names []string, format string) error {
	for i, name := range names {
		if name == Standard && slices.Contains(names[:i], Standard) {
			return &InputError{Name: name, Reason: "standard input can be read once only"}
		}
		if said, _ := nameSays(name); said == "" && format == "" {
			return &InputError{Name: name, Reason: "the name doesn't say its format: use --format csv or --format jsonl"}
		}
	}
	return nil
}

// expand lists the inputs that one argument names.
func expand(arg, format string) ([]string, error) {
	if arg == Standard {
		return []string{arg}, nil
	}
	info, err := os.Stat(arg)
	if err != nil {
		return nil, inputFault(arg, err)
	}
	if !info.IsDir() {
		return []string{arg}, nil
	}
	entries, err := os.ReadDir(arg) // in name order
	if err != nil {
		return nil, inputFault(arg, err)
	}
	var names []string
	for _, entry := range entries {
		name := filepath.Join(arg, entry.Name())
		if !isInput(entry.Name(), format) {
			continue
		}
		if info, err := os.Stat(name); err != nil {
			return nil, inputFault(name, err)
		} else if info.Mode().IsRegular() {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, &InputError{Name: arg, Reason: "the folder has no .csv, .jsonl or .ndjson in it (nor one of these with .gz or .zst)"}
	}
	return names, nil
}

func isInput(base, format string) bool {
	if strings.HasPrefix(base, ".") {
		return false
	}
	said, _ := nameSays(base)
	return said != "" || format != "" && !strings.HasPrefix(base, "_")
}

// inputFault tells what the user can mend (there is no such file, it may not be read) from a failure of the machine.
func inputFault(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &InputError{Name: name, Reason: "there is no such file", Err: fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		return &InputError{Name: name, Reason: "it may not be read", Err: fs.ErrPermission}
	}
	return fmt.Errorf("read input %q: %w", name, err)
}
