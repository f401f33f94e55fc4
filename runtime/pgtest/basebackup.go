package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// backup replaces the node's data by a copy of those of primary.
func (n *Node) backup(ctx context.Context, primary *Node) error {
	fresh := n.DataDir() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	tool := filepath.Join(n.cluster.bin, "pg_basebackup")
	if _, err := os.Stat(tool); err == nil {
		before, err := n.log.Stat()
		if err != nil {
			return err
		}
		err = n.cluster.workshop.run(ctx, n.log,
			tool, "-d", fmt.Sprintf("host=%s port=5432 user=postgres", primary.dir), "-D", fresh,
			"-X", "stream", "--checkpoint=fast", "--no-sync", "--no-manifest")
		if err != nil {
			return fmt.Errorf("%w: %s", err, strings.TrimSpace(tail(n.log, before.Size())))
		}
	} else if errors.Is(err, fs.ErrNotExist) {
		if err := copyData(ctx, n.cluster.workshop.who, primary, fresh); err != nil {
			return err
		}
	} else {
		return err
	}
	if err := n.cluster.workshop.who.write(filepath.Join(fresh, "standby.signal"), nil); err != nil {
		return err
	}
	if err := os.RemoveAll(n.DataDir()); err != nil {
		return err
	}
	return os.Rename(fresh, n.DataDir())
}

// write makes a file that the user owns.
func (who *identity) write(path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return err
	}
	return who.own(path)
}

// emptied are the folders whose content a base backup leaves out: the server
// makes it anew (excludeDirContents in basebackup.c), and the standby fetches the
// log from its primary.
var emptied = map[string]bool{
	"pg_stat_tmp": true, "pg_replslot": true, "pg_dynshmem": true, "pg_notify": true, "pg_serial": true,
	"pg_snapshots": true, "pg_subtrans": true, "pg_wal": true, "pg_wal/archive_status": true, "pg_wal/summaries": true,
}

// leftOut reports whether a base backup leaves out a file (excludeFiles in
// basebackup.c, and temporary files).
func leftOut(name string) bool {
	switch name {
	case "postgresql.auto.conf.tmp", "current_logfiles.tmp", "backup_label", "tablespace_map", "backup_manifest",
		"postmaster.pid", "postmaster.opts", "standby.signal", "recovery.signal":
		return true
	}
	return strings.HasPrefix(name, "pg_internal.init") || strings.HasPrefix(name, "pgsql_tmp")
}

// copyData makes a base backup of a running primary without pg_basebackup, which
// fetched binaries lack: by the server's own calls and a copy of its files.
func copyData(ctx context.Context, who *identity, primary *Node, to string) error {
	conn, err := primary.Conn(ctx)
	if err != nil {
		return err
	}
	// Without pg_backup_stop the backup ends with the session.
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_backup_start('pgtest', true)"); err != nil {
		return err
	}
	from := primary.DataDir()
	err = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // dropped meanwhile; its record in the log says so too
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		within := filepath.ToSlash(filepath.Dir(name))
		switch {
		case entry.IsDir():
			if err := os.Mkdir(filepath.Join(to, name), 0o700); err != nil {
				return err
			}
			return who.own(filepath.Join(to, name))
		case within == "pg_tblspc":
			return errors.New("not supported yet: a tablespace, where the binaries lack pg_basebackup")
		case within == "pg_wal" && strings.HasSuffix(name, ".history"):
		case emptied[within] || strings.HasPrefix(within, "pg_replslot/") || leftOut(entry.Name()) || !entry.Type().IsRegular():
			return nil
		}
		if name == filepath.Join("global", "pg_control") {
			return nil // last
		}
		return copyFile(who, path, filepath.Join(to, name))
	})
	if err != nil {
		return err
	}
	control, err := steady(filepath.Join(from, "global", "pg_control"))
	if err != nil {
		return err
	}
	if err := who.write(filepath.Join(to, "global", "pg_control"), control); err != nil {
		return err
	}
	var label string
	if err := conn.QueryRow(ctx, "SELECT labelfile FROM pg_backup_stop(false)").Scan(&label); err != nil {
		return err
	}
	return who.write(filepath.Join(to, "backup_label"), []byte(label))
}

// steady reads a small file that the server may be writing until two reads
// agree.
func steady(path string) ([]byte, error) {
	var last []byte
	for range 100 {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if last != nil && bytes.Equal(data, last) {
			return data, nil
		}
		last = data
	}
	return nil, fmt.Errorf("%s changes all the time", path)
}

// copyFile copies a file that may be written to, or go, meanwhile: replay makes
// good what is torn.
func copyFile(who *identity, from, to string) error {
	in, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return who.own(to)
}
