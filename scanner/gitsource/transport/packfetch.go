package transport

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

// A request says which objects a pack is to hold: those that wants lead to and haves do not,
// or wants alone.
type request struct {
	wants, haves []string
	alone        bool
	snapshot     bool // one commit with its trees, and nothing else
}

// fetchPack asks for a pack, once, and puts it into the repository with an index.
func (f *fetch) fetchPack(ctx context.Context, r request) error {
	dir := filepath.Join(f.dir, "objects", "pack")
	file, err := os.CreateTemp(dir, "tmp_pack_")
	if err != nil {
		return err
	}
	err = f.requestPack(ctx, file, r)
	var sum string
	if err == nil {
		sum, err = checkPack(file)
	}
	if err = errors.Join(err, file.Close()); err != nil || sum == "" {
		return errors.Join(err, os.Remove(file.Name()))
	}
	stem := filepath.Join(dir, "pack-"+sum)
	if err := os.Rename(file.Name(), stem+".pack"); err != nil {
		return err
	}
	return indexPack(ctx, stem)
}

// requestPack writes the pack that r asks for.
//
// It is one request, without negotiation: the server is told all known ids at once
// (gitprotocol-pack(5), "Packfile Negotiation"). It asks for no thin pack, since the bases of
// its deltas would not be in the temporary repository.
func (f *fetch) requestPack(ctx context.Context, to io.Writer, r request) error {
	if f.caps == nil {
		return errors.New("the server has no objects: it is empty")
	}
	req := packp.NewUploadPackRequestFromCapabilities(f.caps)
	req.Capabilities.Delete(capability.ThinPack)
	if f.caps.Supports(capability.NoProgress) {
		if err := req.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	if r.alone {
		if err := f.askAlone(req); err != nil {
			return err
		}
	}
	if r.snapshot { // gitprotocol-pack(5): deepen, filter
		if err := errors.Join(req.Capabilities.Set(capability.Shallow), req.Capabilities.Set(capability.Filter)); err != nil {
			return err
		}
		req.Depth, req.Filter = packp.DepthCommits(1), packp.FilterBlobNone()
	}
	for _, id := range r.wants {
		req.Wants = append(req.Wants, plumbing.NewHash(id))
	}
	for _, id := range r.haves {
		req.Haves = append(req.Haves, plumbing.NewHash(id))
	}
	defer f.http.closeAnswer()
	res, err := f.session.UploadPack(ctx, req)
	if err != nil {
		return f.explain(err)
	}
	stream := io.Reader(res)
	switch {
	case req.Capabilities.Supports(capability.Sideband64k):
		stream = sideband.NewDemuxer(sideband.Sideband64k, res)
	case req.Capabilities.Supports(capability.Sideband):
		stream = sideband.NewDemuxer(sideband.Sideband, res)
	}
	if err := f.copyPack(to, stream); err != nil {
		return err
	}
	if n, _ := io.ReadFull(res, make([]byte, 1)); n > 0 {
		return errors.New("there is more after the pack")
	}
	if f.http.failed != nil {
		return f.http.failed
	}
	return nil
}

// askAlone has req ask for no commit before those that it wants, and for no tree and no blob
// that it does not want itself (git-rev-list(1), --filter=tree:0), as far as the server can.
func (f *fetch) askAlone(req *packp.UploadPackRequest) error {
	for _, c := range []capability.Capability{capability.Shallow, capability.Filter} {
		if !f.caps.Supports(c) {
			continue
		}
		if err := req.Capabilities.Set(c); err != nil {
			return err
		}
		if c == capability.Shallow {
			req.Depth = packp.DepthCommits(1)
		} else {
			req.Filter = packp.FilterTreeDepth(0)
		}
	}
	return nil
}

// copyPack copies a pack, up to the rest of MaxBytes.
func (f *fetch) copyPack(to io.Writer, from io.Reader) error {
	limit := int64(math.MaxInt64)
	if f.MaxBytes > 0 {
		limit = f.MaxBytes - f.bytes + 1
	}
	out := &failureKeeper{to: to}
	n, err := io.CopyBuffer(out, io.LimitReader(from, limit), make([]byte, 64<<10))
	f.bytes += n
	switch {
	case out.err != nil:
		return fmt.Errorf("writing the pack: %w", out.err)
	case err != nil:
		return f.explain(err)
	case n == limit:
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, f.MaxBytes)
	}
	return nil
}

// A failureKeeper is a writer that keeps its errors, to tell them from errors of the reader
// that is copied to it.
type failureKeeper struct {
	to  io.Writer
	err error
}

func (w *failureKeeper) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.err = errors.Join(w.err, err)
	return n, err
}

// checkPack checks the header and the checksum of a pack (gitformat-pack(5)), and returns
// the latter in hexadecimal, "" for a pack of nothing.
func checkPack(file *os.File) (sum string, err error) {
	const header, trailer = 12, sha1.Size
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return "", err
	}
	r := bufio.NewReaderSize(file, 1<<16)
	start, _ := r.Peek(header) // a start that is too short is found below
	if size < header+trailer || !bytes.HasPrefix(start, []byte("PACK")) {
		return "", fmt.Errorf("the answer of the server is not a pack: it begins with %q", excerpt(string(start)))
	}
	empty := bytes.Equal(start[8:], make([]byte, 4)) && size == header+trailer
	h := sha1.New()
	if _, err := io.CopyN(h, r, size-trailer); err != nil {
		return "", err
	}
	end, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(end, h.Sum(nil)) {
		return "", errors.New("the pack is cut off or damaged: its checksum is wrong")
	}
	if empty {
		return "", nil
	}
	return fmt.Sprintf("%x", end), nil
}

// indexPack writes the index of a pack. That reads all of the pack, so a pack with an index
// is known to be readable.
//
// The pack reader does it in a third of the time of git index-pack and a tenth of go-git's
// (bench/2026-11-22-sweep). Where deltas make more than 64 MiB, which it does not hold in
// memory, git does it.
func indexPack(ctx context.Context, stem string) error {
	own := pack.Guard(func() error { return pack.WriteIndex(stem, sha1.Size) })
	if own == nil {
		return nil
	}
	_, err := gitcmd.Run(ctx, gitcmd.Command{Dir: filepath.Dir(stem), Args: []string{"index-pack", stem + ".pack"}})
	switch {
	case errors.Is(err, gitcmd.ErrNoGit):
		return fmt.Errorf("reading the pack: %w", own)
	case err != nil:
		return fmt.Errorf("reading the pack: %w; %w", own, err)
	}
	return nil
}
