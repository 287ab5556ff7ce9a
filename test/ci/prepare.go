package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// chromiumPath is where Debian's package puts the browser.
const chromiumPath = "/usr/bin/chromium"

// Oldest Node.js that the page's tools run on.
const (
	nodeMajor = 20
	nodeMinor = 19
)

// prepare makes a fresh machine ready. It counts as a test only when it fails:
// nothing after it would tell the reason.
func prepare(ctx context.Context, r *runner) counts {
	var total counts
	if problem := nodeProblem(ctx, r); problem != "" {
		r.printf("%s\n", problem)
		total.add(one("prepare: "+problem, false))
		return total
	}

	var wanted []string
	if chromiumMissing() != "" {
		wanted = append(wanted, "chromium")
	}
	if raceMissing() != "" {
		wanted = append(wanted, "gcc", "libc6-dev")
	}
	if tsharkMissing() != "" {
		wanted = append(wanted, "tshark")
	}
	if len(wanted) > 0 {
		r.install(ctx, wanted)
	}
	if reason := tsharkMissing(); reason != "" && mayInstall() {
		// Where it cannot be had, the tests that need it say that they were skipped.
		total.add(one("prepare: "+reason, false))
	}

	if _, ok := r.execute(ctx, "npm-ci", "", "make", "--no-print-directory", "ui-deps"); !ok {
		total.add(one("prepare: npm ci", false))
	}
	return total
}

// install fetches Debian packages when we may. Where we may not, or it fails,
// the steps that need them say that they were skipped, and why.
func (r *runner) install(ctx context.Context, packages []string) {
	if !mayInstall() {
		r.printf("not installed, and this is not root on a machine with apt: %v\n", packages)
		return
	}
	r.printf("installing %v\n", packages)
	if _, ok := r.execute(ctx, "apt-update", "", "apt-get", "-q", "update"); !ok {
		return
	}
	r.execute(ctx, "apt-install", "", append([]string{"env", "DEBIAN_FRONTEND=noninteractive",
		"apt-get", "-q", "-y", "install", "--no-install-recommends"}, packages...)...)
}

// mayInstall says whether we are root on a machine with apt.
func mayInstall() bool {
	_, err := exec.LookPath("apt-get")
	return err == nil && os.Geteuid() == 0
}

// chromiumMissing is the reason why there are no browser tests, or "".
func chromiumMissing() string {
	if _, err := os.Stat(chromiumPath); err != nil {
		return "there is no " + chromiumPath + "; as root, apt-get install chromium"
	}
	return ""
}

// tsharkMissing is the reason why nobody checks the packets that are exported,
// or "".
func tsharkMissing() string {
	if _, err := exec.LookPath("tshark"); err != nil {
		return "there is no tshark; as root, apt-get install tshark"
	}
	return ""
}

// raceMissing is the reason why the race detector cannot run, or "". It is the
// only part of poolscope's work that needs a C compiler.
func raceMissing() string {
	if _, err := exec.LookPath("gcc"); err != nil {
		return "there is no gcc; as root, apt-get install gcc libc6-dev"
	}
	return ""
}

var nodeVersion = regexp.MustCompile(`^v(\d+)\.(\d+)\.`)

// nodeProblem says what is wrong with this machine's Node.js, or "".
func nodeProblem(ctx context.Context, r *runner) string {
	need := fmt.Sprintf("Node.js %d.%d or newer with npm is needed to build the page", nodeMajor, nodeMinor)
	out, err := r.start(ctx, "", "node", "--version").Output()
	if err != nil {
		return need + ", and there is none"
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return need + ", and npm is missing"
	}
	if !nodeIsRecent(string(out)) {
		return need + ", and this one is " + string(out)
	}
	return ""
}

// nodeIsRecent judges the output of node --version.
func nodeIsRecent(version string) bool {
	m := nodeVersion.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, err1 := strconv.Atoi(m[1])
	minor, err2 := strconv.Atoi(m[2])
	return err1 == nil && err2 == nil && (major > nodeMajor || major == nodeMajor && minor >= nodeMinor)
}
