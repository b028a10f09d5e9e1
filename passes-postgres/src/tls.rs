//! TLS by rustls, with the certificates of the machine or those of a file.

use crate::options::Security;
use passes_core::store::StoreError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::Path;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

fn failed(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Backend(format!("{what}: {why}"))
}

/// What connects over TLS.
///
/// # Errors
/// [`StoreError::Backend`] when a file of certificates can't be read, or there is none to be trusted.
pub(crate) fn connector(security: &Security) -> Result<MakeRustlsConnect, StoreError> {
    Ok(MakeRustlsConnect::new(config(security)?))
}

fn config(security: &Security) -> Result<ClientConfig, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed("TLS", &error))?;
    let builder = match security {
        Security::Verified(file) => builder.with_root_certificates(roots(file.as_deref())?),
        Security::Opportunistic => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        }
    };
    Ok(builder.with_no_client_auth())
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = file {
        let certificates =
            CertificateDer::pem_file_iter(file).map_err(|error| failed("sslrootcert", &error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| failed("sslrootcert", &error))?;
            roots.add(certificate).map_err(|error| failed("sslrootcert", &error))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(failed("TLS", &"there are no certificates to be trusted; name a file by sslrootcert"));
    }
    Ok(roots)
}

/// Takes any certificate: what is encrypted is safe from who listens, not from who pretends to be the server. Only for
/// `sslmode=prefer`, which asks for no more. Nor is it asked whose the key is: whoever pretends has one. So certificates
/// of X.509's first version, such as Citus makes for itself, will do, which can't be read here.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::{ClientConnection, ServerConfig, ServerConnection};

    /// A certificate of X.509's first version, and its key, as `openssl x509 -req -signkey` makes them.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBHzCBxQIUK33g30Nj9e5hkUngxYXMNXon3l0wCgYIKoZIzj0EAwIwETEPMA0G\n\
A1UEAwwGbm9ib2R5MCAXDTI2MTEyMjExMTgzMFoYDzIxMjYxMDI5MTExODMwWjAR\n\
MQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT6/0x/\n\
JpnuRGooMzRbtwWRKDPFuP/e4Kb/pRS/ACvCiAYzUx++BKryvEd9s4ns/Re+JeE4\n\
w1v8cIWs0nxWzWyrMAoGCCqGSM49BAMCA0kAMEYCIQCRx9Ia7auIp35HslmdhCqC\n\
R7KIFOtJsipV0KMfwkQq/AIhAOycfk5M5jflzfJxZtSj2d4Ebl9OmvxbhhbTvEe6\n\
HUfu\n\
-----END CERTIFICATE-----";
    const KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnuZ9RmhDWu6omEgu\n\
wAzh+MDP2parCMKiHkBxoSVLX0ihRANCAAT6/0x/JpnuRGooMzRbtwWRKDPFuP/e\n\
4Kb/pRS/ACvCiAYzUx++BKryvEd9s4ns/Re+JeE4w1v8cIWs0nxWzWyr\n\
-----END PRIVATE KEY-----";

    #[derive(Debug)]
    struct Old(Arc<CertifiedKey>);

    impl ResolvesServerCert for Old {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    fn server() -> ServerConnection {
        let provider = ring::default_provider();
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Old(Arc::new(CertifiedKey::new(vec![certificate], key)))));
        ServerConnection::new(Arc::new(config)).unwrap()
    }

    fn greet(security: &Security) -> Result<(), Error> {
        let name = ServerName::try_from("db.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(config(security).unwrap()), name).unwrap();
        let mut server = server();
        for _ in 0..8 {
            let mut sent = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut sent).unwrap();
            }
            server.read_tls(&mut &*sent).unwrap();
            server.process_new_packets()?;
            let mut sent = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut sent).unwrap();
            }
            client.read_tls(&mut &*sent).unwrap();
            client.process_new_packets()?;
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        Ok(())
    }

    /// D-1, Z-1: where no more is asked than that nobody listens, any certificate will do, also one that is too old to be
    /// read; where it must be right, it will not.
    #[test]
    fn an_old_certificate_is_taken_from_anybody() {
        greet(&Security::Opportunistic).unwrap();
        let trusted = Security::Verified(None);
        assert!(config(&trusted).is_err() || greet(&trusted).is_err());
    }
}
