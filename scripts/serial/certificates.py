"""Certificates made on the spot: authorities, and servers and clients that are right or wrong in one way each."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "broker.test"
"""What the virtual board looks up to reach this machine, and what right certificates are made out to."""

WILD = "wild.test"
LARGE, TOO_LARGE = 8_000, 18_000
"""Bytes of certificates that a handshake still has to take, and that no TLS record holds."""

_DAY = datetime.timedelta(days=1)
_NOW = datetime.datetime.now(datetime.UTC)
VALID, EXPIRED, FUTURE = (_NOW - _DAY, _NOW + 30 * _DAY), (_NOW - 3 * _DAY, _NOW - _DAY), (_NOW + _DAY, _NOW + 3 * _DAY)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def elliptic() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_2048() -> Key:
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Identity:
    """A certificate, its key and the certificates that are sent behind it."""

    certificate: x509.Certificate
    private: Key
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """Certificate and chain."""
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (self.certificate, *self.chain))

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def key(self) -> bytes:
        return self._private(serialization.Encoding.PEM)

    @property
    def key_der(self) -> bytes:
        return self._private(serialization.Encoding.DER)

    def alone(self) -> Identity:
        return Identity(self.certificate, self.private)

    def _private(self, encoding: serialization.Encoding) -> bytes:
        form = serialization.PrivateFormat.TraditionalOpenSSL
        return self.private.private_bytes(encoding, form, serialization.NoEncryption())


def issue(
    title: str,
    issuer: Identity | None = None,
    names: tuple[str, ...] = (),
    validity: tuple[datetime.datetime, datetime.datetime] = VALID,
    authority: bool = False,
    new_key=elliptic,
    padding: int = 0,
) -> Identity:
    """A certificate of `issuer`, its own where there is none; `names` are host names and addresses; with so many bytes that
    mean nothing."""
    private = new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity[0])
        .not_valid_after(validity[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(authority), critical=True)
    )
    if not authority:
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if padding:
        nothing = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), bytes(padding))
        builder = builder.add_extension(nothing, critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
    certificate = builder.sign(issuer.private if issuer else private, hashes.SHA256())
    chain = (issuer.certificate, *issuer.chain) if issuer and issuer.certificate.issuer != issuer.certificate.subject else ()
    return Identity(certificate, private, chain)


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class Files:
    """An identity as brokers read it."""

    certificate: Path
    key: Path


class Certificates:
    """One of each kind, for servers that the board reaches at `address`, kept as files in `folder`."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self.root = issue("Root", authority=True)
        self.rsa_root = issue("RSA root", authority=True, new_key=rsa_2048)
        self.stranger = issue("Stranger", authority=True)
        self.impostor = issue("Root", authority=True)
        self.intermediate = issue("Intermediate", self.root, authority=True)
        rsa_intermediate = issue("RSA intermediate", self.rsa_root, authority=True, new_key=rsa_2048)
        good = (NAME, address)
        self.servers = {
            "good": issue("good", self.root, good),
            "rsa": issue("rsa", self.rsa_root, good, new_key=rsa_2048),
            "expired": issue("expired", self.root, good, EXPIRED),
            "future": issue("future", self.root, good, FUTURE),
            "wrong name": issue("wrong name", self.root, ("other.test",)),
            "expired, wrong name": issue("both", self.root, ("other.test",), EXPIRED),
            "wildcard": issue("wildcard", self.root, (f"*.{WILD}",)),
            "name only": issue("name only", self.root, (NAME,)),
            "address only": issue("address only", self.root, (address,)),
            "wrong address": issue("wrong address", self.root, (NAME, "192.0.2.1")),
            "self-signed": issue("self-signed", None, good),
            "stranger": issue("stranger", self.stranger, good),
            "impostor": issue("impostor", self.impostor, good),
            "chain": issue("chain", self.intermediate, good),
            "rsa chain": issue("rsa chain", rsa_intermediate, good, new_key=rsa_2048),
        }
        for size in (LARGE, TOO_LARGE):
            padding = tuple(f"{number:04d}.{'x' * 50}.test" for number in range(size // 64))
            self.servers[f"{size} bytes"] = issue("large", self.root, good + padding)
        self.servers["no intermediate"] = self.servers["chain"].alone()
        self.client = issue("w800", self.root)
        self.chained_client = issue("w800 below", self.intermediate)
        self.strange_client = issue("w800 elsewhere", self.stranger)
        self.rsa_client = issue("w800 rsa", self.rsa_root, new_key=rsa_2048)
        self.roots = self.root.pem + self.rsa_root.pem
        self.roots_file = folder / "roots.crt"
        """Both roots: whose clients are welcome."""
        self.roots_file.write_bytes(self.roots)
        # Written once: brokers read them at any time.
        self._files = {name: self.write(name.replace(" ", "-"), identity) for name, identity in self.servers.items()}

    def authority_of(self, server: str) -> bytes:
        """What a client of this server should trust, as PEM; where nothing helps, the common root."""
        return self.rsa_root.pem if server.startswith("rsa") else self.root.pem

    def files(self, server: str) -> Files:
        """Of one of `servers`."""
        return self._files[server]

    def write(self, name: str, identity: Identity) -> Files:
        files = Files(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        files.certificate.write_bytes(identity.pem)
        files.key.write_bytes(identity.key)
        return files
