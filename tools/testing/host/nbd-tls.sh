#!/bin/bash
# SPDX-License-Identifier: MIT
#
# afsx-nbd with TLS: libnbd and QEMU (GnuTLS) and Python (OpenSSL) as clients, with
# certificates and with shared keys; who is not to be believed is not let in.
set -euo pipefail

# shellcheck source=tools/testing/host/nbd/lib.sh
. "$AFSX_TOP/tools/testing/host/nbd/lib.sh"
need certtool psktool nbdcopy nbdinfo qemu-img

image=$work/image
pki=$work/pki
keys=$work/keys

# certificate NAME AUTHORITY TEMPLATE-LINE...
certificate()
{
	certtool --generate-privkey --ecc --outfile "$pki/$1-key.pem" 2>/dev/null
	printf '%s\n' "${@:3}" >"$work/template"
	if [[ $1 == "$2" ]]; then
		certtool --generate-self-signed --load-privkey "$pki/$1-key.pem" \
			--template "$work/template" --outfile "$pki/$1-cert.pem" 2>/dev/null
	else
		certtool --generate-certificate --load-privkey "$pki/$1-key.pem" \
			--load-ca-certificate "$pki/$2-cert.pem" \
			--load-ca-privkey "$pki/$2-key.pem" \
			--template "$work/template" --outfile "$pki/$1-cert.pem" 2>/dev/null
	fi
}

make_certificates()
{
	mkdir "$pki"
	certificate ca ca 'cn = authority' ca cert_signing_key
	certificate other other 'cn = other authority' ca cert_signing_key
	certificate server ca 'cn = server' 'dns_name = localhost' tls_www_server signing_key
	certificate client ca 'cn = client' tls_www_client signing_key
	certificate stranger other 'cn = stranger' tls_www_client signing_key
	psktool -u alice -p "$keys" >/dev/null 2>&1
	cp "$keys" "$work/wrong-keys"
	psktool -u bob -p "$work/wrong-keys" >/dev/null 2>&1
}

# tls_uri USER OPTION: for libnbd
tls_uri()
{
	echo "nbds+unix://$1/?socket=$socket&$2"
}

copies()
{
	local with=$1

	rm -f "$work/copy"
	passes "write with $with" nbdcopy --flush --connections=4 --requests=64 "$image" "$with"
	passes 'what was written' cmp "$image" "$work/target"
	passes "read with $with" nbdcopy --connections=4 --requests=64 "$with" "$work/copy"
	passes 'what was read' cmp "$image" "$work/copy"
}

refused()
{
	! nbdinfo --size "$2" >"$work/out" 2>&1 || fail "$1: $(<"$work/out")"
	checks=$((checks + 1))
}

with_certificates()
{
	local with

	truncate -s 0 "$work/target"
	truncate -s 20000001 "$work/target"
	with=$(tls_uri '' "tls-certificates=$pki")
	start -f raw -t -e 8 --tls-certificates "$pki" --tls-verify-peer "$work/target"
	copies "$with"
	refused 'no TLS' "$uri"
	mkdir "$work/stranger"
	cp "$pki/ca-cert.pem" "$work/stranger"
	cp "$pki/stranger-cert.pem" "$work/stranger/client-cert.pem"
	cp "$pki/stranger-key.pem" "$work/stranger/client-key.pem"
	refused 'a stranger' "$(tls_uri '' "tls-certificates=$work/stranger")"
	passes 'QEMU' qemu-img compare --object "tls-creds-x509,id=t,dir=$pki,endpoint=client" \
		--image-opts driver=raw,file.driver=file,file.filename="$image" \
		driver=nbd,path="$socket",tls-creds=t,tls-hostname=localhost
	stop
}

with_keys()
{
	truncate -s 0 "$work/target"
	truncate -s 20000001 "$work/target"
	start -f raw -t -e 8 --tls-psk "$keys" "$work/target"
	copies "$(tls_uri alice@ "tls-psk-file=$keys")"
	refused 'no TLS' "$uri"
	refused 'a user that is not known' "$(tls_uri bob@ "tls-psk-file=$work/wrong-keys")"
	sed -i 's/^alice:..../alice:0000/' "$work/wrong-keys"
	refused 'a wrong key' "$(tls_uri alice@ "tls-psk-file=$work/wrong-keys")"
	refused 'certificates' "$(tls_uri '' "tls-certificates=$pki")"
	stop
}

# Encrypted, and the disk waited for by io_uring where that can be: the connection's
# thread waits for both.
past_the_cache()
{
	local whole=$work/whole

	cp "$image" "$whole"
	truncate -s 20004864 "$whole"
	truncate -s 0 "$work/target"
	truncate -s 20004864 "$work/target"
	if ! dd if="$whole" of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null; then
		echo 'no direct I/O here'
		return
	fi
	start -f raw -t -e 8 -n --tls-psk "$keys" "$work/target"
	image=$whole copies "$(tls_uri alice@ "tls-psk-file=$keys")"
	stop
}

# fails SENTENCE OPTION...
fails()
{
	local message

	if message=$(timeout 10 "$afsx_nbd" -k "$socket" -f raw "${@:2}" "$image" 2>&1); then
		fail "${*:2}: starts"
	fi
	[[ $message == "afsx-nbd: $1"* ]] || fail "${*:2}: $message"
	checks=$((checks + 1))
}

wrong_files()
{
	mkdir "$work/broken"
	fails "--tls-certificates: $work/none/ca-cert.pem: " --tls-certificates "$work/none"
	cp "$pki/ca-cert.pem" "$work/broken"
	fails "--tls-certificates: $work/broken/server-cert.pem: " --tls-certificates "$work/broken"
	cp "$pki/server-cert.pem" "$work/broken"
	fails "--tls-certificates: $work/broken/server-key.pem: No such file or directory" \
		--tls-certificates "$work/broken"
	cp "$pki/client-key.pem" "$work/broken/server-key.pem"
	fails "--tls-certificates: $work/broken/server-cert.pem: " --tls-certificates "$work/broken"
	cp "$pki/server-key.pem" "$work/broken"
	echo nonsense >"$work/broken/ca-crl.pem"
	fails "--tls-certificates: $work/broken/ca-crl.pem: " --tls-certificates "$work/broken"
	fails "--tls-psk: $work/none: No such file or directory" --tls-psk "$work/none"
	fails "--tls-psk: does not go with --tls-certificates" --tls-psk a --tls-certificates b
	fails "--tls: 'maybe' is not on or require" --tls=maybe
	fails '--tls: goes with --tls-certificates or --tls-psk' --tls=on
	fails '--tls-verify-peer: goes with --tls-certificates' --tls-psk a --tls-verify-peer
	fails '--oldstyle: does not go with TLS' --tls-psk a --oldstyle
}

head -c 20000001 /dev/urandom >"$image"
make_certificates
wrong_files
with_certificates
with_keys
past_the_cache
python3 "$nbd_dir/encryption.py" "$afsx_nbd" "$work" "$pki"
echo "$checks checks"
