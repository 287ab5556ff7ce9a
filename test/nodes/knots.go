package nodes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Debian carries no bitcoind in its stable releases, but its unstable suite
// has Bitcoin Knots. Nothing is installed here: apt verifies the suite's
// signature and fetches the package with the libraries that it was built
// against, dpkg-deb unpacks them into the cache, and the C library's own loader
// starts the program there.
const (
	knotsPackage  = "bitcoin-knots"
	debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// errNoDebian is returned on machines that this way does not work for.
var errNoDebian = errors.New("this machine has no apt with a Debian mirror")

// fetchKnots returns the command line that starts Knots' bitcoind, fetching it
// first when the cache does not hold it.
func fetchKnots() ([]string, error) {
	dir := filepath.Join(Cache(), knotsPackage)
	err := locked(knotsPackage, func() error {
		if _, err := knotsCommand(dir); err == nil {
			return nil
		}
		return downloadKnots(dir)
	})
	if err != nil {
		return nil, err
	}
	return knotsCommand(dir)
}

// knotsCommand is the command line for an unpacked Knots.
func knotsCommand(dir string) ([]string, error) {
	program := filepath.Join(dir, "usr", "bin", "bitcoind")
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("find bitcoind: %w", err)
	}
	loaders, err := filepath.Glob(filepath.Join(dir, "usr", "lib*", "ld-linux*.so.*"))
	if err != nil || len(loaders) == 0 {
		return nil, fmt.Errorf("no program loader in %s", dir)
	}
	libraries, err := filepath.Glob(filepath.Join(dir, "usr", "lib", "*-linux-gnu*"))
	if err != nil || len(libraries) == 0 {
		return nil, fmt.Errorf("no libraries in %s", dir)
	}
	return []string{loaders[0], "--library-path", strings.Join(libraries, ":"), program}, nil
}

// downloadKnots fetches and unpacks Knots into dir.
func downloadKnots(dir string) error {
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: %w", errNoDebian, err)
		}
	}
	mirrors, err := debianMirrors()
	if err != nil {
		return err
	}

	var failures []error
	for _, m := range mirrors {
		err := downloadFrom(m, dir)
		if err == nil {
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// debianMirrors asks apt which mirrors it is configured with, and keeps those
// that serve the release that this machine runs.
func debianMirrors() ([]string, error) {
	codename, err := releaseCodename("/etc/os-release")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoDebian, err)
	}
	out, err := exec.Command("apt-get", "indextargets",
		"--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: ask apt for its mirrors: %w", errNoDebian, err)
	}

	var mirrors []string
	for line := range strings.Lines(string(out)) {
		release, uri, ok := strings.Cut(strings.TrimSpace(line), " ")
		if ok && release == codename && !slices.Contains(mirrors, uri) {
			mirrors = append(mirrors, uri)
		}
	}
	if len(mirrors) == 0 {
		return nil, fmt.Errorf("%w: apt has no source for %s", errNoDebian, codename)
	}
	return mirrors, nil
}

// releaseCodename is VERSION_CODENAME of an os-release file.
func releaseCodename(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read os-release: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok && name != "" {
			return strings.Trim(name, `"`), nil
		}
	}
	return "", errors.New("os-release names no release")
}

// downloadFrom fetches Knots from one mirror's unstable suite.
func downloadFrom(mirror, dir string) error {
	work, err := os.MkdirTemp(Cache(), "apt-")
	if err != nil {
		return fmt.Errorf("make work folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // a cache may hold a little more
	apt, err := newApt(work, mirror)
	if err != nil {
		return err
	}
	if _, err := apt.run("update"); err != nil {
		return err
	}

	// With an empty package database, a simulated installation lists all that
	// the program needs, down to the C library. Of that we want the libraries.
	plan, err := apt.run("install", "--simulate", "--no-install-recommends", knotsPackage)
	if err != nil {
		return err
	}
	packages := []string{knotsPackage}
	for line := range strings.Lines(plan) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == "Inst" && isLibrary(fields[1]) {
			packages = append(packages, fields[1])
		}
	}
	if _, err := apt.run("download", packages...); err != nil {
		return err
	}
	return unpack(work, dir)
}

// isLibrary reports whether a package of the plan is a library that a program
// loads, by Debian's naming.
func isLibrary(name string) bool {
	return (strings.HasPrefix(name, "lib") || strings.HasPrefix(name, "zlib")) && name != "libsystemd-shared"
}

// apt runs apt-get with a package database and sources of its own, beside the
// machine's.
type apt struct {
	work    string
	options []string
}

func newApt(work, mirror string) (*apt, error) {
	source := "Types: deb\nURIs: " + mirror + "\nSuites: unstable\nComponents: main\n"
	if _, err := os.Stat(debianKeyring); err == nil {
		source += "Signed-By: " + debianKeyring + "\n"
	} // otherwise apt's own keys decide; it never takes an unsigned suite
	files := map[string]string{"unstable.sources": source, "status": ""}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("write apt configuration: %w", err)
		}
	}
	for _, name := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(work, name), 0o755); err != nil {
			return nil, fmt.Errorf("make apt folders: %w", err)
		}
	}
	return &apt{work: work, options: []string{
		"-q", "-y",
		"-o", "Dir::Etc::SourceList=" + filepath.Join(work, "unstable.sources"),
		"-o", "Dir::Etc::SourceParts=-",
		"-o", "Dir::State::Lists=" + filepath.Join(work, "lists"),
		"-o", "Dir::State::Status=" + filepath.Join(work, "status"),
		"-o", "Dir::Cache=" + filepath.Join(work, "cache"),
		"-o", "APT::Sandbox::User=", // the folders are ours, whoever we are
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"-o", "Acquire::Retries=3",
	}}, nil
}

// run runs one apt-get command in the work folder and returns what it printed.
func (a *apt) run(verb string, arguments ...string) (string, error) {
	cmd := exec.Command("apt-get", append(append(slices.Clone(a.options), verb), arguments...)...)
	cmd.Dir = a.work
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("apt-get %s: %w: %s", verb, err, bytes.TrimSpace(messages.Bytes()))
	}
	return out.String(), nil
}

// unpack extracts every package of a folder into dir, all or nothing.
func unpack(packages, dir string) error {
	debs, err := filepath.Glob(filepath.Join(packages, "*.deb"))
	if err != nil || len(debs) == 0 {
		return errors.New("apt downloaded no package")
	}
	unpacked := filepath.Join(packages, "unpacked")
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, unpacked).CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", filepath.Base(deb), err, bytes.TrimSpace(out))
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove old cache: %w", err)
	}
	if err := os.Rename(unpacked, dir); err != nil {
		return fmt.Errorf("move into cache: %w", err)
	}
	command, err := knotsCommand(dir)
	if err != nil {
		return err
	}
	_, err = firstLine(append(command, "-version"))
	return err
}
