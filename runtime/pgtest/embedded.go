package pgtest

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// embeddedVersion is the server fetched where the machine has none.
const embeddedVersion = embeddedpostgres.V16

// fetchBinaries returns the folder of the binaries that the embedded-postgres
// library downloads; they are unpacked once and kept in the user's cache.
//
// Only the library's download is used: its own start refuses to run as root and
// leaves the server behind when the process is killed. It has no call that only
// downloads, so it is asked to start on a folder of its own, which as root ends
// after unpacking; what counts is whether the binaries are there.
func fetchBinaries() (string, error) {
	cache, err := binaryCache()
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "postgres-"+string(embeddedVersion))
	bin := filepath.Join(home, "bin")
	if exists(filepath.Join(bin, "initdb")) {
		return bin, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// Unpack beside and rename, so that two processes cannot see half of it.
	unpacked, err := os.MkdirTemp(cache, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(unpacked)
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return "", err
	}
	runtimeDir, err := os.MkdirTemp("", "dbgen-fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(runtimeDir)
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(embeddedVersion).
		BinariesPath(unpacked).
		RuntimePath(runtimeDir).
		Port(port).
		Logger(io.Discard))
	startErr := server.Start()
	if startErr == nil {
		if err := server.Stop(); err != nil {
			return "", err
		}
	}
	if !exists(filepath.Join(unpacked, "bin", "initdb")) {
		return "", fmt.Errorf("fetch the server's binaries: %w", startErr)
	}
	if err := os.Rename(unpacked, home); err != nil && !exists(filepath.Join(bin, "initdb")) {
		return "", err
	}
	return bin, nil
}

// binaryCache is a folder that survives the process. Root's own cache cannot be
// entered by the user the server runs as.
func binaryCache() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache/dbgen", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "dbgen"), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func freePort() (uint32, error) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return uint32(l.Addr().(*net.TCPAddr).Port), nil
}
