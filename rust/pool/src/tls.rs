//! rustls, set to believe and to show what a context of Python's does.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion, client::WantsClientCert,
};

use crate::settings::Trust;

const HTTP_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

/// The settings, or what is wrong with them.
pub(crate) fn config(trust: &Trust, has_http2: bool) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions(trust))?;
    let builder = if trust.is_verified {
        builder.with_root_certificates(roots(trust))
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Unverified(provider)))
    };
    let mut config = shown(builder, trust.identity.as_deref())?;
    config.alpn_protocols = if has_http2 { vec![HTTP_2.to_vec(), HTTP_1.to_vec()] } else { vec![HTTP_1.to_vec()] };
    Ok(config)
}

/// Whether a server has chosen HTTP/2.
pub(crate) fn is_http2(chosen: Option<&[u8]>) -> bool {
    chosen == Some(HTTP_2)
}

fn versions(trust: &Trust) -> Vec<&'static SupportedProtocolVersion> {
    [(trust.has_tls13, &TLS13), (trust.has_tls12, &TLS12)].into_iter().filter(|(has, _)| *has).map(|it| it.1).collect()
}

fn roots(trust: &Trust) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(trust.roots.iter().map(|root| CertificateDer::from_slice(root)));
    store
}

fn shown(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&[u8]>,
) -> Result<ClientConfig, Error> {
    let Some(pem) = identity else { return Ok(builder.with_no_client_auth()) };
    let unreadable = |error| Error::General(format!("{error:?}"));
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(pem).map_err(unreadable)?)
}

/// Believes everybody, as a context that looks at no certificates does: whoever holds a certificate's key, that is.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
