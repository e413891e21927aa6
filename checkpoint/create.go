package checkpoint

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"friendmigrate/migrate/disk"
)

// FileName is the journal's name in the state folder.
const FileName = "checkpoint.journal"

// Create writes the journal of a new job into the folder dir, and makes the folder if it does not
// exist. The file appears whole or not at all. The file and the folder are durable on return.
// Create never changes an existing journal: then its error wraps fs.ErrExist. The caller holds the
// folder's lock.
func Create(fsys disk.FS, dir string, id Identity) error {
	if err := id.check(); err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	if there, err := Exists(fsys, dir); err != nil {
		return err
	} else if there {
		return fmt.Errorf("create journal %q: %w", filepath.Join(dir, FileName), fs.ErrExist)
	}
	content, err := newJournal(id)
	if err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	if err := fsys.MkdirAll(dir, disk.FolderMode); err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	// The folders come first, so that a journal is never in a folder that a power failure can
	// remove. If the program dies here, only folders are left.
	if err := syncParents(fsys, dir); err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	// If the program dies here there is no journal and perhaps a temporary file, or a whole
	// journal, whose name Open makes durable.
	err = disk.WriteWhole(fsys, filepath.Join(dir, FileName), func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		return fmt.Errorf("create journal: %w", err)
	}
	return nil
}

// syncParents makes the names of the folders durable: of the shard's folder in the state folder,
// and of the state folder itself. Otherwise a power failure could remove the whole job, hours after
// it began.
func syncParents(fsys disk.FS, dir string) error {
	for range 2 {
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil
		}
		if err := fsys.SyncDir(parent); err != nil &&
			!errors.Is(err, fs.ErrPermission) { // we did not make a folder that we may not open
			return fmt.Errorf("sync folder %q: %w", parent, err)
		}
		dir = parent
	}
	return nil
}

// newJournal returns the content of a journal that holds only an identity.
func newJournal(id Identity) ([]byte, error) {
	body, err := json.Marshal(id)
	if err != nil {
		return nil, err
	}
	if len(body) > maxIdentity-1024 {
		return nil, fmt.Errorf("the job's identity takes %d bytes: too many inputs", len(body))
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	fileID := binary.LittleEndian.Uint64(random[:])
	frame := make([]byte, frameHeaderSize, frameHeaderSize+16+len(body))
	frame = binary.AppendVarint(frame, time.Now().UnixMilli())
	frame = append(frame, (&record{kind: kindIdentity, json: body}).encode()...)
	sealFrame(frame, 0, fileID)
	return append(appendHeader(nil, formatVersion, fileID), frame...), nil
}

// Exists reports whether the folder holds a journal, good or damaged. No crash leaves a sealed
// stage without one.
func Exists(fsys disk.FS, dir string) (bool, error) {
	f, err := disk.Open(fsys, filepath.Join(dir, FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the journal: %w", err)
	}
	return true, f.Close()
}
